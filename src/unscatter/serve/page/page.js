"use strict";
// From a file to a task to a result, and what a person may do with it.

let file = null, uploaded = null;

const kind = () => document.querySelector("input[name=kind]:checked").value;

function read_options() {
  const options = {};
  for (const field of element(`options-${kind() === "pattern" ? "pattern" : "diffuse"}`).querySelectorAll("[name]")) {
    const value = field.value.trim();
    if (!value || value === "auto" || value === "find" || field.closest("[hidden]")) continue;
    if (field.name === "wavelength") [options.wavelength] = read_numbers(value.replace(",", "."), "the wavelength");
    else if (field.name === "cell") options.cell = read_numbers(value, "the cell");
    else if (field.name === "plane") options.plane = [value];
    else options[field.name] = value;
  }
  return { ...options, ...read_others() };
}

// Options that have no field of their own, typed as on the command line: --name value, --name or --no-name.
function read_others() {
  const field = element(`options-${kind() === "pattern" ? "pattern" : "diffuse"}`).querySelector("[data-others]"), options = {};
  const words = field.value.match(/"[^"]*"|[^\s"]+/g) || [];
  let name = null;
  for (const word of words) {
    const begun = word.match(/^--([a-z][a-z-]*)$/);
    if (begun) { name = begun[1].replaceAll("-", "_"); options[name] = []; continue; }
    if (name === null) throw new Error(`other options: "${word}" stands before any name; type for example --missing -1`);
    options[name].push(word.replaceAll('"', ""));
  }
  for (const [one, values] of Object.entries(options)) {
    if (values.length) options[one] = values.length > 1 ? values : values[0];
    else { delete options[one]; options[one.replace(/^no_/, "")] = !one.startsWith("no_"); }
  }
  return options;
}

// Do some work with a button held, say how it ended, and bring a keyboard to the result where one is new.
async function doing(work, button, ended = "done") {
  if (button) button.disabled = true;
  try { await work(); say(ended); } catch (error) { say(for_the_page(error.message), true); } finally { if (button) button.disabled = false; }
}

// Words for the command line, as a person at the page needs them.
function for_the_page(words) {
  const told = words.replace("leave out --volume", "choose “plane of diffuse scattering”").replace("is for unscatter classify", "is taken where “powder pattern” is chosen")
    .replace(" and --plane hk0", kind() === "volume" ? "" : " and --plane hk0");
  return /--[a-z]/.test(told) ? `${told}. What begins with -- is a field at the left, or goes under Other options.` : told;
}

async function sent() {
  if (!file) throw new Error("choose a file first");
  if (!uploaded) { say("sending …"); uploaded = await upload(file, file.name); }
  return uploaded.id;
}

async function factorize(options, masked = false) {
  const request = { job: "factorize", file: await sent(), options };
  if (masked) request.mask = (await upload(plane.mask_file(), "mask.npy")).id;
  await show(await run(request), options.plane ? `${file.name}: ${options.plane[0]}` : file.name);
}

async function go() {
  const id = await sent(), options = read_options();
  if (kind() === "pattern") await show(await run({ job: "classify", file: id, options: { ...options, start_files: true } }), file.name);
  else if (kind() === "plane") await factorize(options);
  else {
    await show(await run({ job: "look", file: id, options }), file.name);
    if (element("whole").checked) await show(await run({ job: "factorize", file: id, options: { ...options, volume: true } }), file.name);
  }
  element("title").focus({ preventScroll: true });
}

function choose(chosen) {
  file = chosen; uploaded = null; whole = null;
  plane.forget();
  element("chosen").textContent = `${file.name}, ${(file.size / 1e6).toFixed(2)} MB`;
  const diffuse = /\.(h5|hdf5|nxs|npy|npz|tiff?|grd|nipl)$/i.test(file.name);
  if (diffuse === (kind() === "pattern")) document.querySelector(`input[name=kind][value=${diffuse ? "plane" : "pattern"}]`).checked = true;
  show_options();
}

function show_options() {
  element("options-diffuse").hidden = kind() === "pattern";
  element("options-pattern").hidden = kind() !== "pattern";
  for (const one of document.querySelectorAll(".of-plane")) one.hidden = kind() !== "plane";
  for (const one of document.querySelectorAll(".of-volume")) one.hidden = kind() !== "volume";
}

async function refine(laue) {
  const task = await run({ job: "refine order", result_of: done.id, options: laue ? { laue } : {} });
  await add_step(task);
  element("alphas").caption.textContent = `Order parameters alpha(u v w), Laue class ${task.result.laue}`;
}

async function fit_lattice() {
  const { wavelength, radiation } = read_options(), options = { ...asked_lattice() };
  if (wavelength) options.wavelength = wavelength;
  if (radiation) options.radiation = radiation;
  const place = fits[Number(element("fit").value)] ? Number(element("fit").value) : fits.length;
  const task = await run({ job: "fit", file: await sent(), options });
  fits[place] = task.fit;
  list_fits(place);
  await add_step(task);
}

element("file").addEventListener("change", (e) => e.target.files.length && choose(e.target.files[0]));
element("drop").addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); element("file").click(); } });
for (const name of ["dragover", "dragleave", "drop"]) element("drop").addEventListener(name, (e) => {
  e.preventDefault(); element("drop").classList.toggle("over", name === "dragover");
  if (name === "drop" && e.dataTransfer.files.length) choose(e.dataTransfer.files[0]);
});
for (const radio of document.querySelectorAll("input[name=kind]")) radio.addEventListener("change", show_options);
element("ask").addEventListener("submit", (e) => { e.preventDefault(); doing(go, e.submitter); });

// --- A plane and a volume
element("layer").addEventListener("change", () => doing(show_layer, null, ""));
element("across").addEventListener("change", () => { set_slider(); doing(show_layer, null, ""); });
element("slice").addEventListener("input", () => doing(show_layer, null, ""));
element("plane").addEventListener("keydown", (e) => {
  const step = { PageUp: 1, PageDown: -1 }[e.key];
  if (!step || !drawn) return;
  e.preventDefault();
  element("slice").value = Number(element("slice").value) + step;
  doing(show_layer, null, "");
});
element("cut").addEventListener("click", (e) => doing(() => {
  const { meta } = slice_place(), one = (name, vector) => `${name}=${vector.map((x) => Number(x.toFixed(6))).join(",")}`;
  return factorize({ ...read_options(), plane: [`${one("origin", meta.place.origin)} ${one("u", meta.place.u)} ${one("v", meta.place.v)}`] });
}, e.target));
element("back").addEventListener("click", () => doing(() => show(whole, file.name), null));
element("home").addEventListener("click", () => plane.home());
element("bright").addEventListener("input", (e) => { plane.options.bright = Number(e.target.value); plane.draw(); });
element("colours").addEventListener("change", (e) => { plane.options.colours = e.target.value; plane.draw(); });
element("unit").addEventListener("change", (e) => { plane.options.unit = e.target.value; if (plane.cross) plane.tell(...plane.cross); });
element("masking").addEventListener("change", (e) => { plane.options.masking = e.target.checked; });
element("erasing").addEventListener("change", (e) => { plane.options.erasing = e.target.checked; });
element("brush").addEventListener("input", (e) => { plane.options.size = Number(e.target.value); });
element("unmask").addEventListener("click", () => plane.clear_mask());
element("again").addEventListener("click", (e) => doing(() => {
  if (!plane.masked) throw new Error("draw a mask first: tick the box, then draw on the plane");
  return factorize(done.options, true);
}, e.target));
element("choose-lattice").addEventListener("submit", (e) => {
  e.preventDefault();
  const one = done.images.lattices[Number(element("lattices").value)], options = { ...read_options() };
  doing(() => factorize(one ? { ...options, axes: one.axes, cell: one.cell } : { ...options, lattice: "none" }, plane.masked), e.submitter);
});
element("refine").addEventListener("submit", (e) => { e.preventDefault(); const laue = e.target.laue.value; doing(() => refine(laue), e.submitter); });
element("save-png").addEventListener("click", () => element("plane").toBlob((blob) => save(blob, `${file.name}.${element("layer").value}.png`)));
element("save-csv").addEventListener("click", () => save(plane.table(), `${file.name}.${element("layer").value}.csv`));

// --- A pattern
element("fit").addEventListener("change", choose_fit);
element("zero").addEventListener("input", (e) => { curve.shift = curve.fit ? Number(e.target.value) - curve.fit.zero : 0; curve.draw(); });
element("zero").addEventListener("keydown", (e) => {
  const step = { ArrowUp: 0.005, ArrowDown: -0.005 }[e.key];
  if (!step) return;
  e.preventDefault();
  e.target.value = (Number(e.target.value) + step).toFixed(4);
  e.target.dispatchEvent(new Event("input"));
});
element("lattice-form").addEventListener("submit", (e) => { e.preventDefault(); doing(fit_lattice, e.submitter); });
element("second").addEventListener("change", (e) => { curve.second = e.target.checked; curve.draw(); });
element("root").addEventListener("change", (e) => { curve.root = e.target.checked; curve.draw(); });
element("curve-home").addEventListener("click", () => curve.home());
element("curve-png").addEventListener("click", () => element("curve").toBlob((blob) => save(blob, `${file.name}.png`)));
show_options();
