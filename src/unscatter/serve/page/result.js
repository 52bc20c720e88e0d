"use strict";
// What is shown of a result: a plane, a plane of a volume, a pattern, tables, and files to download.

const BRAVAIS = ["aP", "mP", "mC", "oP", "oC", "oI", "oF", "tP", "tI", "hP", "hR", "cP", "cI", "cF"];
const plane = new PlaneView(element("plane"), element("cursor"));
const curve = new CurveView(element("curve"), element("curve-cursor"));
let done = null, drawn = null, whole = null, fits = [];

// A new result takes the place of the former one.
async function show(task, title) {
  done = task;
  element("result").hidden = false;
  element("welcome").hidden = element("former").hidden = true;
  element("title").textContent = title;
  element("files").replaceChildren();
  element("alphas-view").hidden = true;
  element("plane-view").hidden = !(task.images || task.volume);
  element("volume-tools").hidden = element("volume-keys").hidden = !task.volume;
  element("mask-tools").hidden = !task.images;
  element("choose-lattice").hidden = !(task.images && task.images.lattices.length);
  element("refine").hidden = !(task.images && task.files.some((name) => name.endsWith(".factorized.h5")));
  element("curve-view").hidden = !task.curve;
  element("back").hidden = !(whole && task.images);
  await add(task);
  if (task.images) await show_images(task);
  if (task.volume) await show_volume(task);
  if (task.curve) show_pattern(task);
}

// What came of a step further is added to what is shown: words, a table, files; the words before stay at hand.
async function add_step(task) {
  element("former-text").textContent = done.text;
  element("former").hidden = false;
  await add(task);
}

// What a file holds, by how its name ends.
const CONTENTS = [
  [".factorized.h5", ": all of it, NeXus"], [".order.csv", ": alphas"], [".options.toml", ": to make it again"], [".factorized.png", ": picture"],
  [".order.png", ": picture"], [".order.json", ": alphas and how they were made"], [".classified.json", ": all of it"], [".classified.csv", ": probabilities"],
  [".classified.png", ": picture"], [".start.instprm", ": GSAS-II"], [".start.pcr", ": FullProf"], [".start.inp", ": TOPAS"], [".cif", ": the cell"],
  [".reflections.csv", ": lines"], [".fit.csv", ": curves"], [".fit.h5", ": fit, NeXus"], [".fit.json", ": fit"], [".fit.png", ": picture"],
];

async function add(task) {
  element("text").textContent = task.text;
  for (const name of task.files) {
    for (const former of element("files").querySelectorAll("li")) if (former.dataset.name === name) former.remove();
    const link = document.createElement("a"), item = document.createElement("li");
    link.href = `/api/tasks/${task.id}/files/${name}`; link.textContent = name;
    link.addEventListener("click", (e) => { e.preventDefault(); doing(() => download(task.id, name), null, ""); });
    item.dataset.name = name;
    item.append(link, CONTENTS.find(([ending]) => name.endsWith(ending))?.[1] || ""); element("files").append(item);
  }
  const image = task.files.find((name) => name.endsWith(".png"));
  element("drawn").hidden = !image;
  if (image) {
    element("picture").src = URL.createObjectURL(await (await ask(`/api/tasks/${task.id}/files/${image}`)).blob());
    element("picture").alt = `Picture of the result: ${task.text.split("\n")[0]}`;
  }
  if (task.alphas) show_alphas(task.alphas);
}

function row_of(words) {
  const row = document.createElement("tr");
  for (const word of words) row.insertCell().textContent = word;
  return row;
}

function show_alphas(alphas) {
  element("alphas-view").hidden = false;
  const number = (value) => (value === null || value === undefined ? "" : value.toFixed(4));
  const others = alphas.filter((one) => one.u || one.v || one.w || one.label);
  // Those of a volume come by vector; the strongest say most.
  const by_orbit = others.some((one) => one.multiplicity);
  element("alphas").classList.toggle("by-vector", !by_orbit);
  if (!by_orbit) others.sort((a, b) => Math.abs(b.alpha) - Math.abs(a.alpha));
  element("alphas").tBodies[0].replaceChildren(...others.map((one) => row_of([
    one.label || `${one.u} ${one.v} ${one.w}`, one.multiplicity || "", number(one.alpha), number(one.standard_error), one.determined === false ? "not determined" : ""])));
}

const LAYERS = { I_D: "measured I_D", I_FF: "form factor I_FF", I_SRO: "short-range order I_SRO", product: "product I_FF I_SRO", residual: "measured − product" };

function list_layers(names) {
  const before = element("layer").value;
  element("layer").replaceChildren(...names.map((name) => new Option(LAYERS[name], name)));
  if (names.includes(before)) element("layer").value = before;
}

async function show_images(task) {
  drawn = null;
  list_layers(task.images.names);
  element("lattices").replaceChildren(...task.images.lattices.map((one, k) => new Option(one.name, k)), new Option("none: I_SRO by its strongest waves", -1));
  await show_layer();
}

async function show_volume(task) {
  drawn = task.volume; whole = task;
  const names = drawn.names.length > 1 ? [...drawn.names, "product", "residual"] : drawn.names;
  list_layers(names);
  element("across").value = "l";
  set_slider();
  await show_layer();
}

function set_slider() {
  const count = drawn.shape["lkh".indexOf(element("across").value)];
  element("slice").max = count - 1;
  element("slice").value = Math.floor(count / 2);
}

// Where the plane of the slider lies: of the axes, what is across, up and to the right.
function slice_place() {
  const across = element("across").value, index = Number(element("slice").value);
  const [up, right] = [..."lkh"].filter((one) => one !== across), count = (axis) => drawn.shape["lkh".indexOf(axis)];
  const [first, last] = drawn.range[across], value = first + (last - first) * index / Math.max(count(across) - 1, 1);
  const direction = (axis) => drawn.basis["hkl".indexOf(axis)];
  const place = { origin: direction(across).map((one) => one * value), u: direction(right), v: direction(up), reciprocal: drawn.reciprocal };
  const meta = { rows: count(up), columns: count(right), x: drawn.range[right], y: drawn.range[up], labels: [`${right} (r.l.u.)`, `${up} (r.l.u.)`], place, step: 1, shape: [count(up), count(right)] };
  return { across, index, value, meta };
}

async function show_layer() {
  const name = element("layer").value, id = done.id;
  if (!drawn) { plane.show(done.images, await numbers(`/api/tasks/${id}/files/${name}.f32`)); return; }
  const { across, index, value, meta } = slice_place();
  const layer = (one) => numbers(`/api/tasks/${id}/volume/${one}?axis=${across}&index=${index}`);
  let values;
  if (drawn.names.includes(name)) values = await layer(name);
  else {
    const [measured, form, order] = await Promise.all(drawn.names.map(layer));
    values = form.map((one, k) => (name === "product" ? one * order[k] : measured[k] - one * order[k]));
  }
  if (Number(element("slice").value) !== index || element("across").value !== across) return;
  const every = drawn.step > 1 ? `, every ${drawn.step}. voxel is drawn` : "";
  element("where").textContent = `${across} = ${value.toFixed(3)} (${index + 1} of ${drawn.shape["lkh".indexOf(across)]}${every})`;
  plane.show(meta, values);
}

function show_pattern(task) {
  fits = task.curve.fits;
  element("second-choice").hidden = !task.curve.second_phase;
  element("second-name").textContent = task.curve.second_phase ? `| second phase: ${task.curve.second_phase.name}` : "";
  element("bravais").replaceChildren(...BRAVAIS.map((name) => new Option(name, name)));
  curve.show(task.curve);
  list_fits(0);
  const groups = task.result.levels["space group"].slice(0, 10);
  element("ranking").tBodies[0].replaceChildren(...groups.map((one) => row_of([one.name, one.space_groups.join(", "), `${(100 * one.probability).toFixed(1)} %`])));
}

function list_fits(chosen) {
  element("fit").replaceChildren(...fits.map((fit, k) => new Option(fit.name, k)), new Option("another lattice …", "other"), new Option("none", "none"));
  element("fit").value = fits.length ? chosen : "none";
  choose_fit();
}

function choose_fit() {
  const fit = fits[Number(element("fit").value)] || null;
  element("other-lattice").hidden = element("fit").value !== "other";
  element("zero").value = fit ? fit.zero.toFixed(4) : 0;
  curve.choose(fit);
}

// What the form asks to be fitted.
function asked_lattice() {
  const zero = Number(element("zero").value), fit = fits[Number(element("fit").value)];
  if (fit) return { bravais: fit.bravais, cell: fit.cell, zero, displacement: fit.displacement || 0 };
  if (element("fit").value === "none") throw new Error("choose a lattice first, or another lattice to type its cell");
  const cell = read_numbers(element("other-cell").value, "the cell");
  if (cell.length !== 6) throw new Error("a cell has six numbers: a b c in Å and alpha beta gamma in degrees");
  return { bravais: element("bravais").value, cell, zero };
}
