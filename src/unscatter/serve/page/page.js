"use strict";
// From a file to a task to a result; all that is known is asked of the API that /api/docs describes.

const element = (id) => document.getElementById(id);
const token = new URLSearchParams(location.search).get("token") || "";
const headers = token ? { Authorization: `Bearer ${token}` } : {};
const plane = new PlaneView(element("plane"), element("cursor"));
const curve = new CurveView(element("curve"), element("curve-cursor"));
let file = null, uploaded = null, done = null;

function say(words, error = false) { element("status").textContent = words; element("status").className = error ? "error" : ""; }

async function ask(path, options = {}) {
  const answer = await fetch(path, { ...options, headers: { ...headers, ...(options.headers || {}) } });
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Error(typeof told.detail === "string" ? told.detail : `the server answered ${answer.status}`);
  }
  return answer;
}

async function upload(blob, name) {
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

function job() { return document.querySelector("input[name=job]:checked").value; }

function read_options() {
  const options = {};
  for (const field of element(`options-${job()}`).querySelectorAll("input, select")) {
    if (field.type === "checkbox") { if (field.checked) options[field.name] = true; continue; }
    const value = field.value.trim();
    if (!value || value === "auto") continue;
    if (field.name === "wavelength") options.wavelength = Number(value.replace(",", "."));
    else if (field.name === "cell") options.cell = value.split(/[\s,]+/).map(Number);
    else if (field.name === "plane") options.plane = [value];
    else options[field.name] = value;
  }
  return options;
}

async function show(task) {
  done = task;
  element("result").hidden = false;
  element("title").textContent = file ? file.name : task.job;
  element("text").textContent = task.text;
  const list = element("files");
  list.replaceChildren();
  for (const name of task.files) {
    const link = document.createElement("a"), item = document.createElement("li");
    link.href = "#"; link.textContent = name;
    link.addEventListener("click", (e) => { e.preventDefault(); download(task.id, name); });
    item.append(link); list.append(item);
  }
  const image = task.files.find((name) => name.endsWith(".png"));
  element("picture").hidden = !image;
  if (image) {
    element("picture").src = URL.createObjectURL(await (await ask(`/api/tasks/${task.id}/files/${image}`)).blob());
    element("picture").alt = `Picture of the result: ${task.text.split("\n")[0]}`;
  }
  element("views").hidden = !task.images;
  element("refine").hidden = !task.files.some((name) => name.endsWith(".factorized.h5")) || Boolean(task.result.shape_lkh);
  element("curve-view").hidden = !task.curve;
  if (task.curve) show_pattern(task);
  if (task.images) {
    element("layer").replaceChildren(...task.images.names.map((name) => new Option(name, name)));
    await show_layer();
  }
}

function show_pattern(task) {
  const fits = task.curve.fits;
  element("fit").replaceChildren(...fits.map((fit, k) => new Option(fit.name, k)), new Option("none", -1));
  element("fit-choice").hidden = !fits.length;
  curve.show(task.curve);
  const rows = task.result.levels["space group"].slice(0, 10).map((one) => {
    const row = document.createElement("tr");
    for (const words of [one.name, one.space_groups.join(", "), `${(100 * one.probability).toFixed(1)} %`]) row.insertCell().textContent = words;
    return row;
  });
  element("ranking").tBodies[0].replaceChildren(...rows);
}

async function show_layer() {
  const name = element("layer").value, bytes = await (await ask(`/api/tasks/${done.id}/files/${name}.f32`)).arrayBuffer();
  plane.show(done.images, new Float32Array(bytes));
}

async function download(id, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await (await ask(`/api/tasks/${id}/files/${name}`)).blob());
  link.download = name; link.click();
}

async function doing(work, button) {
  button.disabled = true;
  try { await work(); say("done"); } catch (error) { say(error.message, true); } finally { button.disabled = false; }
}

function choose(chosen) {
  file = chosen; uploaded = null;
  element("chosen").textContent = `${file.name}, ${(file.size / 1e6).toFixed(2)} MB`;
  const diffuse = /\.(h5|hdf5|nxs|npy|npz|tiff?)$/i.test(file.name);
  document.querySelector(`input[name=job][value=${diffuse ? "factorize" : "classify"}]`).checked = true;
  show_options();
}

function show_options() { for (const name of ["factorize", "classify"]) element(`options-${name}`).hidden = name !== job(); }

element("file").addEventListener("change", (e) => e.target.files.length && choose(e.target.files[0]));
element("drop").addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); element("file").click(); } });
for (const name of ["dragover", "dragleave", "drop"]) element("drop").addEventListener(name, (e) => {
  e.preventDefault(); element("drop").classList.toggle("over", name === "dragover");
  if (name === "drop" && e.dataTransfer.files.length) choose(e.dataTransfer.files[0]);
});
for (const radio of document.querySelectorAll("input[name=job]")) radio.addEventListener("change", show_options);

element("ask").addEventListener("submit", (e) => {
  e.preventDefault();
  doing(async () => {
    if (!file) throw new Error("choose a file first");
    say("sending …");
    uploaded = uploaded || await upload(file, file.name);
    await show(await run({ job: job(), file: uploaded.id, options: read_options() }));
  }, e.submitter);
});
element("again").addEventListener("click", (e) => doing(async () => {
  const mask = await upload(plane.mask_file(), "mask.npy");
  await show(await run({ job: "factorize", file: uploaded.id, mask: mask.id, options: read_options() }));
}, e.target));
element("refine").addEventListener("submit", (e) => {
  e.preventDefault();
  const laue = e.target.laue.value;
  doing(async () => show(await run({ job: "refine order", result_of: done.id, options: laue ? { laue } : {} })), e.submitter);
});
element("layer").addEventListener("change", show_layer);
element("fit").addEventListener("change", (e) => curve.choose(Number(e.target.value)));
element("curve-home").addEventListener("click", () => curve.home());
element("home").addEventListener("click", () => plane.home());
element("bright").addEventListener("input", (e) => { plane.options.bright = Number(e.target.value); plane.draw(); });
element("colours").addEventListener("change", (e) => { plane.options.colours = e.target.value; plane.draw(); });
element("masking").addEventListener("change", (e) => { plane.options.masking = e.target.checked; });
