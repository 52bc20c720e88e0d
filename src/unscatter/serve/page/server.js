"use strict";
// What is asked of the API that /api/docs describes: files in, tasks, results.

const element = (id) => document.getElementById(id);
const token = new URLSearchParams(location.search).get("token") || "";
const headers = token ? { Authorization: `Bearer ${token}` } : {};

function say(words, error = false) { element("status").textContent = words; element("status").className = error ? "error" : ""; }

async function ask(path, options = {}) {
  const answer = await fetch(path, { ...options, headers: { ...headers, ...(options.headers || {}) } }).catch(() => {
    throw new Error("the server does not answer: is unscatter serve still running in its terminal?");
  });
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Error(told.detail || `the server answered ${answer.status}`);
  }
  return answer;
}

async function upload(blob, name) {
  const limits = await (await ask("/api/limits")).json();
  if (blob.size > limits.upload) throw new Error(`${name} has ${(blob.size / 2 ** 20).toFixed(0)} MB; at most ${(limits.upload / 2 ** 20).toFixed(0)} MB are taken: cut or bin it, or start unscatter serve with --upload`);
  const answer = await ask(`/api/files?name=${encodeURIComponent(name)}`, { method: "POST", body: blob, headers: { "Content-Type": "application/octet-stream" } });
  return answer.json();
}

async function run(request) {
  const begun = await (await ask("/api/tasks", { method: "POST", body: JSON.stringify(request), headers: { "Content-Type": "application/json" } })).json();
  for (;;) {
    const task = await (await ask(`/api/tasks/${begun.id}`)).json();
    if (task.state === "failed") throw new Error(task.error);
    if (task.state === "done") return task;
    say(task.state === "waiting" ? "waiting for its turn …" : `at work for ${Math.round(task.seconds)} s …`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

async function numbers(path) { return new Float32Array(await (await ask(path)).arrayBuffer()); }

function read_numbers(text, what) {
  const found = text.trim().split(/[\s,]+/);
  for (const one of found) if (one === "" || !Number.isFinite(Number(one))) throw new Error(`${what}: "${one}" is no number`);
  return found.map(Number);
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob); link.download = name; link.click();
}

async function download(id, name) { save(await (await ask(`/api/tasks/${id}/files/${name}`)).blob(), name); }
