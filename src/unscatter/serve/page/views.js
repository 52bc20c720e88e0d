"use strict";
// Two canvases: a plane with zoom, colour scale, cursor and a mask to draw, and a pattern with zoom and cursor.

const VIRIDIS = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37]];

function colour(share, name) {
  const x = Math.min(Math.max(share, 0), 1);
  if (name === "grey") { const g = Math.round(255 * x); return [g, g, g]; }
  const place = x * (VIRIDIS.length - 1), low = Math.min(Math.floor(place), VIRIDIS.length - 2), t = place - low;
  return VIRIDIS[low].map((value, k) => Math.round(value + t * (VIRIDIS[low + 1][k] - value)));
}

class PlaneView {
  constructor(canvas, output) {
    this.canvas = canvas; this.output = output; this.options = { bright: 60, colours: "viridis", masking: false };
    canvas.addEventListener("wheel", (e) => { e.preventDefault(); this.zoom(e.deltaY < 0 ? 1.25 : 0.8, this.at(e)); }, { passive: false });
    canvas.addEventListener("pointerdown", (e) => { this.held = this.at(e); canvas.setPointerCapture(e.pointerId); this.draw_mask(e); });
    canvas.addEventListener("pointermove", (e) => this.move(e));
    canvas.addEventListener("pointerup", () => { this.held = null; });
    canvas.addEventListener("keydown", (e) => this.key(e));
  }
  show(meta, values) {
    const fresh = !this.meta || this.meta.rows !== meta.rows || this.meta.columns !== meta.columns;
    this.meta = meta; this.values = values;
    if (fresh) { this.mask = new Uint8Array(meta.rows * meta.columns); this.home(); } else { this.draw(); }
  }
  home() { this.left = 0; this.bottom = 0; this.span = Math.max(this.meta.rows, this.meta.columns); this.draw(); }
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
  key(e) {
    const step = this.span / 10, middle = [this.left + this.span / 2, this.bottom + this.span / 2];
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (moves[e.key]) { e.preventDefault(); this.left += moves[e.key][0]; this.bottom += moves[e.key][1]; this.draw(); }
    if (e.key === "+" || e.key === "=") this.zoom(1.25, middle);
    if (e.key === "-") this.zoom(0.8, middle);
  }
  move(e) {
    if (!this.meta) return;
    const [x, y] = this.at(e), column = Math.floor(x), row = Math.floor(y);
    if (this.held && this.options.masking) this.draw_mask(e);
    else if (this.held) { this.left -= x - this.held[0]; this.bottom -= y - this.held[1]; this.draw(); }
    this.output.textContent = this.words(column, row);
  }
  words(column, row) {
    const m = this.meta;
    if (column < 0 || row < 0 || column >= m.columns || row >= m.rows) return "";
    const value = this.values[row * m.columns + column];
    const x = m.x[0] + (m.x[1] - m.x[0]) * column / Math.max(m.columns - 1, 1), y = m.y[0] + (m.y[1] - m.y[0]) * row / Math.max(m.rows - 1, 1);
    return `${m.labels[0]} = ${x.toFixed(3)}, ${m.labels[1]} = ${y.toFixed(3)}: ${Number.isFinite(value) ? value.toPrecision(4) : "not measured"}`;
  }
  draw_mask(e) {
    if (!this.options.masking) return;
    const [x, y] = this.at(e), size = Math.max(1, this.span / 60), m = this.meta;
    for (let row = Math.max(0, Math.floor(y - size)); row <= Math.min(m.rows - 1, y + size); row++)
      for (let column = Math.max(0, Math.floor(x - size)); column <= Math.min(m.columns - 1, x + size); column++)
        if ((row - y) ** 2 + (column - x) ** 2 <= size * size) this.mask[row * m.columns + column] = 1;
    this.draw();
  }
  draw() {
    const { rows, columns } = this.meta, size = this.canvas.width, context = this.canvas.getContext("2d");
    const seen = Array.from(this.values.filter(Number.isFinite)).sort((a, b) => a - b);
    const top = seen[Math.floor((seen.length - 1) * 0.998)] || 1, low = Math.min(seen[Math.floor(seen.length * 0.002)] || 0, 0);
    const scale = top * Math.pow(10, (60 - this.options.bright) / 40), image = context.createImageData(size, size);
    for (let py = 0; py < size; py++) {
      const row = Math.floor(this.bottom + (1 - (py + 0.5) / size) * this.span);
      for (let px = 0; px < size; px++) {
        const column = Math.floor(this.left + (px + 0.5) / size * this.span), place = 4 * (py * size + px);
        let rgb = [255, 255, 255];
        if (row >= 0 && row < rows && column >= 0 && column < columns) {
          const value = this.values[row * columns + column];
          rgb = this.mask[row * columns + column] ? [224, 80, 80] : !Number.isFinite(value) ? [200, 200, 200]
            : colour(low < 0 ? (value - low) / (scale - low) : Math.sqrt(Math.max(value, 0) / scale), this.options.colours);
        }
        image.data[place] = rgb[0]; image.data[place + 1] = rgb[1]; image.data[place + 2] = rgb[2]; image.data[place + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
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
}

class CurveView {
  constructor(canvas, output) {
    this.canvas = canvas; this.output = output;
    canvas.addEventListener("wheel", (e) => { e.preventDefault(); this.zoom(e.deltaY < 0 ? 1.25 : 0.8, this.angle(e)); }, { passive: false });
    canvas.addEventListener("pointermove", (e) => this.tell(this.angle(e)));
    canvas.addEventListener("dblclick", () => this.home());
    canvas.addEventListener("keydown", (e) => {
      const span = this.end - this.begin, step = { ArrowLeft: -span / 10, ArrowRight: span / 10 }[e.key];
      if (step) { e.preventDefault(); this.begin += step; this.end += step; this.draw(); }
      if (e.key === "+" || e.key === "=") this.zoom(1.25, (this.begin + this.end) / 2);
      if (e.key === "-") this.zoom(0.8, (this.begin + this.end) / 2);
    });
  }
  show(curve) { this.curve = curve; this.fit = (curve.fits || [])[0] || null; this.home(); }
  choose(number) { this.fit = this.curve.fits[number] || null; this.draw(); }
  home() { const a = this.curve.two_theta; this.begin = a[0]; this.end = a[a.length - 1]; this.draw(); }
  angle(e) { const box = this.canvas.getBoundingClientRect(); return this.begin + (e.clientX - box.left) / box.width * (this.end - this.begin); }
  zoom(factor, centre) { this.begin = centre - (centre - this.begin) / factor; this.end = centre + (this.end - centre) / factor; this.draw(); }
  tell(angle) {
    const wavelength = this.curve.wavelength, d = wavelength ? wavelength / (2 * Math.sin(angle * Math.PI / 360)) : NaN;
    this.output.textContent = `2θ = ${angle.toFixed(3)}°` + (Number.isFinite(d) && d > 0 ? `, d = ${d.toFixed(4)} Å` : "") + this.near(angle);
  }
  // The predicted line under the cursor, with its indices.
  near(angle) {
    if (!this.fit || !this.fit.ticks.length) return "";
    let best = 0;
    for (let k = 1; k < this.fit.ticks.length; k++) if (Math.abs(this.fit.ticks[k] - angle) < Math.abs(this.fit.ticks[best] - angle)) best = k;
    return Math.abs(this.fit.ticks[best] - angle) < (this.end - this.begin) / 150 ? `, line (${this.fit.hkl[best].join(" ")})` : "";
  }
  draw() {
    const { two_theta: x, intensity: y } = this.curve, c = this.canvas.getContext("2d"), w = this.canvas.width, h = this.canvas.height;
    c.fillStyle = "#fff"; c.fillRect(0, 0, w, h);
    let top = -Infinity, low = Infinity;
    for (let k = 0; k < x.length; k++) if (x[k] >= this.begin && x[k] <= this.end) { top = Math.max(top, y[k]); low = Math.min(low, y[k]); }
    const px = (a) => (a - this.begin) / (this.end - this.begin) * w, py = (v) => h - 40 - (v - low) / (top - low || 1) * (h - 54);
    c.strokeStyle = "#005a9c"; c.lineWidth = 1.2; c.beginPath();
    let started = false;
    for (let k = 0; k < x.length; k++) {
      if (x[k] < this.begin || x[k] > this.end) continue;
      if (started) c.lineTo(px(x[k]), py(y[k])); else c.moveTo(px(x[k]), py(y[k]));
      started = true;
    }
    c.stroke();
    if (this.fit) this.draw_fit(c, px, py, h);
    c.fillStyle = "#1b2733"; c.font = "14px system-ui"; c.textAlign = "center";
    for (let k = 1; k < 10; k++) { const a = this.begin + (this.end - this.begin) * k / 10; c.fillText(a.toFixed(1), px(a), h - 8); c.fillRect(px(a), h - 26, 1, 5); }
  }
  // Calculated in orange, predicted lines as ticks below, lines that the lattice does not explain as red triangles above.
  draw_fit(c, px, py, h) {
    const x = this.curve.two_theta, seen = (a) => a >= this.begin && a <= this.end;
    c.strokeStyle = "#c75b00"; c.lineWidth = 1; c.beginPath();
    let started = false;
    for (let k = 0; k < x.length; k++) {
      if (!seen(x[k])) continue;
      if (started) c.lineTo(px(x[k]), py(this.fit.calculated[k])); else c.moveTo(px(x[k]), py(this.fit.calculated[k]));
      started = true;
    }
    c.stroke(); c.fillStyle = "#1b2733";
    for (const a of this.fit.ticks) if (seen(a)) c.fillRect(px(a), h - 36, 1, 8);
    c.fillStyle = "#a40000";
    for (const a of this.fit.foreign) if (seen(a)) { c.beginPath(); c.moveTo(px(a) - 5, 2); c.lineTo(px(a) + 5, 2); c.lineTo(px(a), 11); c.fill(); }
  }
}
