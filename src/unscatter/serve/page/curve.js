"use strict";
// A pattern on a canvas: the fit of a lattice, its lines as ticks, those of a second phase, zoom, and a cursor.

const INK = "#1b2733", MEASURED_INK = "#005a9c", FITTED_INK = "#c75b00", FOREIGN_INK = "#a40000", SECOND_INK = "#6b3fa0", DIFFERENCE_INK = "#66727d";
// Room below the pattern in pixels: difference, lines of two lattices, numbers.
const BELOW = 114;

class CurveView {
  constructor(canvas, output) {
    this.canvas = canvas; this.output = output; this.cursor = null; this.shift = 0; this.second = true; this.root = true;
    canvas.addEventListener("wheel", (e) => { e.preventDefault(); this.zoom(e.deltaY < 0 ? 1.25 : 0.8, this.angle(e)); }, { passive: false });
    canvas.addEventListener("pointerdown", (e) => { this.held = this.angle(e); canvas.setPointerCapture(e.pointerId); });
    canvas.addEventListener("pointerup", () => { this.held = null; });
    canvas.addEventListener("pointermove", (e) => {
      const angle = this.angle(e);
      if (this.held) { this.begin -= angle - this.held; this.end -= angle - this.held; this.draw(); }
      this.tell(angle);
    });
    canvas.addEventListener("dblclick", () => this.home());
    canvas.addEventListener("keydown", (e) => this.key(e));
    canvas.addEventListener("blur", () => { this.cursor = null; if (this.curve) this.draw(); });
  }
  // Arrows move the cursor, with Shift the picture; plus and minus zoom about the cursor.
  key(e) {
    const span = this.end - this.begin, middle = (this.begin + this.end) / 2, side = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (side) {
      e.preventDefault();
      if (e.shiftKey) { this.begin += side * span / 10; this.end += side * span / 10; } else {
        this.cursor = Math.min(Math.max((this.cursor || middle) + side * span / 400, this.begin), this.end);
        this.tell(this.cursor);
      }
      this.draw();
    } else if (e.key === "+" || e.key === "=") this.zoom(1.25, this.cursor || middle);
    else if (e.key === "-") this.zoom(0.8, this.cursor || middle);
    else if (e.key === "Home") { e.preventDefault(); this.home(); }
  }
  show(curve) { this.curve = curve; this.choose(curve.fits[0] || null); this.home(); }
  choose(fit) { this.fit = fit; this.shift = 0; if (this.curve && this.end) this.draw(); }
  home() { const a = this.curve.two_theta; this.begin = a[0]; this.end = a[a.length - 1]; this.draw(); }
  angle(e) { const box = this.canvas.getBoundingClientRect(); return this.begin + (e.clientX - box.left) / box.width * (this.end - this.begin); }
  zoom(factor, centre) { this.begin = centre - (centre - this.begin) / factor; this.end = centre + (this.end - centre) / factor; this.draw(); }

  tell(angle) {
    const wavelength = this.curve.wavelength, d = wavelength ? wavelength / (2 * Math.sin(angle * Math.PI / 360)) : NaN;
    this.output.textContent = `2θ = ${angle.toFixed(3)}°` + (Number.isFinite(d) && d > 0 ? `, d = ${d.toFixed(4)} Å` : "")
      + this.near(this.fit, angle, this.shift, "line") + (this.second ? this.near(this.curve.second_phase, angle, 0, "second phase") : "");
  }
  // The predicted line under the cursor, with its indices.
  near(lattice, angle, shift, word) {
    if (!lattice || !lattice.ticks.length) return "";
    let best = 0;
    for (let k = 1; k < lattice.ticks.length; k++) if (Math.abs(lattice.ticks[k] + shift - angle) < Math.abs(lattice.ticks[best] + shift - angle)) best = k;
    return Math.abs(lattice.ticks[best] + shift - angle) < (this.end - this.begin) / 150 ? `, ${word} (${lattice.hkl[best].join(" ")})` : "";
  }

  draw() {
    const { two_theta: x, intensity: y } = this.curve, c = this.canvas.getContext("2d"), w = this.canvas.width, h = this.canvas.height;
    c.fillStyle = "#fff"; c.fillRect(0, 0, w, h);
    const height = this.root ? (v) => Math.sqrt(Math.max(v, 0)) : (v) => v;
    let top = -Infinity, low = Infinity;
    for (let k = 0; k < x.length; k++) if (x[k] >= this.begin && x[k] <= this.end) { top = Math.max(top, height(y[k])); low = Math.min(low, height(y[k])); }
    const px = (a) => (a - this.begin) / (this.end - this.begin) * w, py = (v) => h - BELOW - (height(v) - low) / (top - low || 1) * (h - BELOW - 16);
    this.line(c, x, y, px, py, MEASURED_INK, 1.2);
    if (this.fit && this.fit.calculated) { this.line(c, x, this.fit.calculated, px, py, FITTED_INK, 1); this.difference(c, x, y, px, h - BELOW + 30); }
    if (this.fit) this.ticks(c, this.fit.ticks, this.shift, px, h - 52, INK);
    if (this.curve.second_phase && this.second) this.ticks(c, this.curve.second_phase.ticks, 0, px, h - 40, SECOND_INK);
    c.fillStyle = FOREIGN_INK;
    for (const a of this.fit ? this.fit.foreign : []) if (a >= this.begin && a <= this.end) { c.beginPath(); c.moveTo(px(a) - 5, 2); c.lineTo(px(a) + 5, 2); c.lineTo(px(a), 11); c.fill(); }
    c.fillStyle = INK; c.font = "14px system-ui"; c.textAlign = "center";
    for (const a of round_marks(this.begin, this.end, 12)) if (px(a) > 20 && px(a) < w - 70) { c.fillText(Number(a.toPrecision(6)).toString(), px(a), h - 6); c.fillRect(px(a), h - 26, 1, 5); }
    c.textAlign = "right"; c.fillText("2θ (°)", w - 6, h - 6);
    this.heights(c, py, this.root ? [low ** 2, top ** 2] : [low, top]);
    if (this.cursor) { c.fillStyle = FITTED_INK; c.fillRect(px(this.cursor), 0, 2, h - BELOW); }
  }
  // Round intensities along the left edge, as many as stand apart.
  heights(c, py, [low, top]) {
    c.textAlign = "left";
    let before = Infinity;
    for (const v of round_marks(low, top, 10)) {
      if (before - py(v) < 28 || py(v) < 12) continue;
      before = py(v);
      c.fillStyle = INK; c.fillRect(0, before, 5, 1); c.fillText(Number(v.toPrecision(6)).toString(), 8, before + 5);
    }
  }
  // Measured minus calculated about a line of zero, as high as there is room.
  difference(c, x, y, px, zero) {
    const gap = x.map((a, k) => (a >= this.begin && a <= this.end ? y[k] - this.fit.calculated[k] : 0));
    const most = gap.reduce((m, one) => Math.max(m, Math.abs(one)), 1e-30);
    this.line(c, x, gap, px, (v) => zero - v / most * 24, DIFFERENCE_INK, 1);
  }
  line(c, x, y, px, py, ink, width) {
    c.strokeStyle = ink; c.lineWidth = width; c.beginPath();
    let started = false;
    for (let k = 0; k < Math.min(x.length, y.length); k++) {
      if (x[k] < this.begin || x[k] > this.end) continue;
      if (started) c.lineTo(px(x[k]), py(y[k])); else c.moveTo(px(x[k]), py(y[k]));
      started = true;
    }
    c.stroke();
  }
  ticks(c, angles, shift, px, y, ink) {
    c.fillStyle = ink;
    for (const a of angles) if (a + shift >= this.begin && a + shift <= this.end) c.fillRect(Math.round(px(a + shift)), y, 1, 9);
  }
}
