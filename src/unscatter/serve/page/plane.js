"use strict";
// A plane on a canvas: zoom, colour scale, a cross to read values by mouse or keyboard, and a mask to draw.

const VIRIDIS = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37]];
const MASKED = [224, 80, 80], GAP = [200, 200, 200], OUTSIDE = [255, 255, 255];

function colour(share, name) {
  const x = Math.min(Math.max(share, 0), 1);
  if (name === "grey") { const g = Math.round(255 * x); return [g, g, g]; }
  const place = x * (VIRIDIS.length - 1), low = Math.min(Math.floor(place), VIRIDIS.length - 2), t = place - low;
  return VIRIDIS[low].map((value, k) => Math.round(value + t * (VIRIDIS[low + 1][k] - value)));
}

// Round numbers between two, at most so many.
function round_marks(first, last, most) {
  const rough = Math.abs(last - first) / most, power = 10 ** Math.floor(Math.log10(rough)), step = power * [1, 2, 5, 10].find((one) => one * power >= rough);
  const marks = [];
  for (let k = Math.ceil(Math.min(first, last) / step); k * step <= Math.max(first, last); k++) marks.push(k * step);
  return marks;
}

class PlaneView {
  constructor(canvas, output) {
    this.canvas = canvas; this.output = output;
    this.options = { bright: 60, colours: "viridis", masking: false, erasing: false, size: 3, unit: "r.l.u." };
    this.cross = null;
    canvas.addEventListener("wheel", (e) => { e.preventDefault(); this.zoom(e.deltaY < 0 ? 1.25 : 0.8, this.at(e)); }, { passive: false });
    canvas.addEventListener("pointerdown", (e) => { this.held = this.at(e); canvas.setPointerCapture(e.pointerId); if (this.options.masking) this.paint(...this.held); });
    canvas.addEventListener("pointermove", (e) => this.move(e));
    canvas.addEventListener("pointerup", () => { this.held = null; });
    canvas.addEventListener("keydown", (e) => this.key(e));
    for (const name of ["focus", "blur"]) canvas.addEventListener(name, () => { if (this.meta) this.draw(); });
  }

  show(meta, values) {
    const fresh = !this.meta || this.meta.rows !== meta.rows || this.meta.columns !== meta.columns;
    this.meta = meta; this.values = values;
    const seen = values.filter(Number.isFinite).sort();
    this.top = seen[Math.floor((seen.length - 1) * 0.998)] || 1;
    this.low = Math.min(seen[Math.floor(seen.length * 0.002)] || 0, 0);
    if (fresh) this.mask = new Uint8Array(meta.rows * meta.columns);
    if (fresh) this.home(); else this.draw();
  }
  get masked() { return Boolean(this.mask && this.mask.some((one) => one)); }
  clear_mask() { this.mask.fill(0); this.draw(); }
  forget() { this.meta = null; this.cross = null; }
  home() {
    const { rows, columns } = this.meta;
    this.span = Math.max(rows, columns); this.left = (columns - this.span) / 2; this.bottom = (rows - this.span) / 2;
    this.draw();
  }
  at(e) {
    const box = this.canvas.getBoundingClientRect();
    const x = (e.clientX - box.left) / box.width, y = 1 - (e.clientY - box.top) / box.height;
    return [this.left + x * this.span, this.bottom + y * this.span];
  }
  zoom(factor, [x, y]) {
    const span = Math.min(Math.max(this.span / factor, 8), 2 * Math.max(this.meta.rows, this.meta.columns));
    this.left = x - (x - this.left) * span / this.span; this.bottom = y - (y - this.bottom) * span / this.span;
    this.span = span; this.draw();
  }

  // Arrows move the cross, with Shift the picture; space paints, Delete erases where a mask is drawn.
  key(e) {
    if (!this.meta) return;
    const { rows, columns } = this.meta, middle = [this.left + this.span / 2, this.bottom + this.span / 2];
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
    if (arrow) {
      e.preventDefault();
      if (e.shiftKey) { this.left += arrow[0] * this.span / 10; this.bottom += arrow[1] * this.span / 10; } else {
        const step = Math.max(1, Math.round(this.span / 100)), [x, y] = this.cross || middle;
        this.cross = [Math.min(Math.max(Math.floor(x) + arrow[0] * step, 0), columns - 1) + 0.5, Math.min(Math.max(Math.floor(y) + arrow[1] * step, 0), rows - 1) + 0.5];
        this.tell(...this.cross);
      }
      this.draw();
    } else if (e.key === "+" || e.key === "=") this.zoom(1.25, this.cross || middle);
    else if (e.key === "-") this.zoom(0.8, this.cross || middle);
    else if (e.key === "Home") { e.preventDefault(); this.home(); }
    else if (this.options.masking && this.cross && (e.key === " " || e.key === "Delete")) { e.preventDefault(); this.paint(...this.cross, e.key === "Delete"); }
  }
  move(e) {
    if (!this.meta) return;
    const [x, y] = this.at(e);
    if (this.held && this.options.masking) this.paint(x, y);
    else if (this.held) { this.left -= x - this.held[0]; this.bottom -= y - this.held[1]; this.draw(); }
    this.tell(x, y);
  }

  tell(x, y) {
    const m = this.meta, column = Math.floor(x), row = Math.floor(y);
    if (column < 0 || row < 0 || column >= m.columns || row >= m.rows) { this.output.textContent = ""; return; }
    const value = this.values[row * m.columns + column], said = Number.isFinite(value) ? value.toPrecision(4) : "not measured";
    this.output.textContent = `${this.place(column, row)}: ${said}${this.mask[row * m.columns + column] ? ", masked" : ""}`;
  }
  place(column, row) {
    const m = this.meta, along = (range, k, count) => range[0] + (range[1] - range[0]) * k / Math.max(count - 1, 1);
    const x = along(m.x, column, m.columns), y = along(m.y, row, m.rows);
    if (!m.place) return `${m.labels[0]} = ${x.toFixed(3)}, ${m.labels[1]} = ${y.toFixed(3)}` + (this.options.unit === "d" ? " (d is not known without a cell)" : "");
    const hkl = m.place.origin.map((one, k) => one + x * m.place.u[k] + y * m.place.v[k]);
    if (this.options.unit === "r.l.u.") return `h k l = ${hkl.map((one) => one.toFixed(3)).join(" ")} r.l.u.`;
    if (!m.place.reciprocal) return "d is not known without a cell";
    const q = [0, 1, 2].map((k) => hkl.reduce((sum, one, i) => sum + one * m.place.reciprocal[i][k], 0));
    const length = Math.hypot(...q);
    return `d = ${length > 0 ? (2 * Math.PI / length).toFixed(4) : "∞"} Å, |Q| = ${length.toFixed(4)} 1/Å`;
  }

  paint(x, y, erase = this.options.erasing) {
    const size = Math.max(0.5, this.options.size * this.span / 200), m = this.meta;
    for (let row = Math.max(0, Math.floor(y - size)); row <= Math.min(m.rows - 1, y + size); row++)
      for (let column = Math.max(0, Math.floor(x - size)); column <= Math.min(m.columns - 1, x + size); column++)
        if ((row + 0.5 - y) ** 2 + (column + 0.5 - x) ** 2 <= size * size) this.mask[row * m.columns + column] = erase ? 0 : 1;
    this.tell(x, y);
    this.draw();
  }
  draw() {
    const { rows, columns } = this.meta, size = this.canvas.width, context = this.canvas.getContext("2d");
    const scale = this.top * Math.pow(10, (60 - this.options.bright) / 40), low = this.low, image = context.createImageData(size, size);
    const table = Array.from({ length: 256 }, (_, k) => colour(k / 255, this.options.colours));
    for (let py = 0; py < size; py++) {
      const row = Math.floor(this.bottom + (1 - (py + 0.5) / size) * this.span);
      for (let px = 0; px < size; px++) {
        const column = Math.floor(this.left + (px + 0.5) / size * this.span), place = 4 * (py * size + px);
        let rgb = OUTSIDE;
        if (row >= 0 && row < rows && column >= 0 && column < columns) {
          const value = this.values[row * columns + column];
          const share = low < 0 ? (value - low) / (scale - low) : Math.sqrt(Math.max(value, 0) / scale);
          rgb = this.mask[row * columns + column] ? MASKED : !Number.isFinite(value) ? GAP : table[Math.round(255 * Math.min(Math.max(share, 0), 1))];
        }
        image.data[place] = rgb[0]; image.data[place + 1] = rgb[1]; image.data[place + 2] = rgb[2]; image.data[place + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
    this.draw_edges(context, size);
    this.draw_scale(scale, low);
    if (this.cross && document.activeElement === this.canvas) this.draw_cross(context, size);
  }
  // Where round values of the axes lie, along the lower and the left edge.
  draw_edges(context, size) {
    const m = this.meta;
    context.font = "bold 14px system-ui"; context.lineWidth = 3; context.strokeStyle = "#000"; context.fillStyle = "#fff";
    const write = (words, x, y) => { context.strokeText(words, x, y); context.fillText(words, x, y); };
    const along = (range, count, first) => {
      const pixel = (range[1] - range[0]) / Math.max(count - 1, 1), start = range[0] + (first - 0.5) * pixel, end = start + this.span * pixel;
      return round_marks(start, end, 8).map((value) => [Number(value.toPrecision(6)).toString(), (value - start) / (end - start) * size]);
    };
    context.textAlign = "center";
    for (const [words, x] of along(m.x, m.columns, this.left)) if (x > 40 && x < size - 20) { write(words, x, size - 9); this.mark(context, x - 1, size - 6, 2, 6); }
    context.textAlign = "left";
    for (const [words, x] of along(m.y, m.rows, this.bottom)) if (x > 30 && x < size - 12) { write(words, 11, size - x + 5); this.mark(context, 0, size - x - 1, 6, 2); }
  }
  mark(context, x, y, width, height) { context.strokeRect(x, y, width, height); context.fillRect(x, y, width, height); }
  // What is drawn along the edges, and what the colours mean.
  draw_scale(top, low) {
    const [across, up] = this.meta.labels, bar = element("colour-bar"), context = bar.getContext("2d");
    element("directions").textContent = `→ ${across}, ↑ ${up}`.replaceAll("Angstrom", "Å");
    element("lowest").textContent = Number(low.toPrecision(3)).toString();
    element("highest").textContent = Number(top.toPrecision(3)).toString() + (low < 0 ? "" : ", square-root scale");
    for (let x = 0; x < bar.width; x++) {
      context.fillStyle = `rgb(${colour(x / (bar.width - 1), this.options.colours).join(" ")})`;
      context.fillRect(x, 0, 1, bar.height);
    }
  }
  draw_cross(context, size) {
    const x = (this.cross[0] - this.left) / this.span * size, y = (1 - (this.cross[1] - this.bottom) / this.span) * size;
    for (const [ink, width] of [["#000", 4], ["#fff", 2]]) {
      context.strokeStyle = ink; context.lineWidth = width;
      context.beginPath(); context.moveTo(x - 12, y); context.lineTo(x + 12, y); context.moveTo(x, y - 12); context.lineTo(x, y + 12); context.stroke();
    }
  }

  // The mask as .npy at the full size of the plane, for the server.
  mask_file() {
    const { rows, columns, step, shape } = this.meta;
    let head = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape[0]}, ${shape[1]}), }`;
    head += " ".repeat(63 - (10 + head.length) % 64) + "\n";
    const bytes = new Uint8Array(10 + head.length + shape[0] * shape[1]);
    bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, head.length & 255, head.length >> 8]);
    for (let k = 0; k < head.length; k++) bytes[10 + k] = head.charCodeAt(k);
    for (let row = 0; row < shape[0]; row++)
      for (let column = 0; column < shape[1]; column++)
        bytes[10 + head.length + row * shape[1] + column] = this.mask[Math.min(Math.floor(row / step), rows - 1) * columns + Math.min(Math.floor(column / step), columns - 1)];
    return new Blob([bytes]);
  }
  // What is shown as a table: x along the first line, y before each other line, the lowest first.
  table() {
    const m = this.meta, along = (range, k, count) => range[0] + (range[1] - range[0]) * k / Math.max(count - 1, 1);
    const lines = [["y\\x", ...Array.from({ length: m.columns }, (_, k) => along(m.x, k, m.columns).toPrecision(7))].join(",")];
    for (let row = 0; row < m.rows; row++) {
      const values = Array.from(this.values.subarray(row * m.columns, (row + 1) * m.columns), (v) => (Number.isFinite(v) ? v.toPrecision(7) : ""));
      lines.push([along(m.y, row, m.rows).toPrecision(7), ...values].join(","));
    }
    return new Blob([lines.join("\n") + "\n"], { type: "text/csv" });
  }
}
