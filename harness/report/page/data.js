/** What the page carries: arrays out of one compressed block, and the grids made of them. See arrays.py and grid.py. */

/**
 * @typedef {{type: string, at: number, length: number}} Reference
 * @typedef {{lengths: Reference, steps: Reference, values: Reference}} RaggedReference
 * @typedef {{starts: Uint32Array, at: Uint32Array, values: Float32Array | Float64Array}} Ragged
 * @typedef {number | string | boolean | null} Value
 * @typedef {{method: string, protocol: number, x: string | null, y: string | null, shared: Record<string, Value>,
 *   squares: [Value, Value, number][], beside: number[]}} Panel
 */

const TYPES = {
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  f4: Float32Array,
  f8: Float64Array,
};

/**
 * The bytes of a block as arrays.py has written it.
 * @param {string} text
 * @returns {Promise<Uint8Array>}
 */
export async function unpacked(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * An array of the block: its bytes stand there in planes, the first bytes of all numbers before their second.
 * @param {Uint8Array} block
 * @param {Reference} reference
 */
export function array(block, { type, at, length }) {
  const kind = TYPES[/** @type {keyof typeof TYPES} */ (type)];
  const size = kind.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(length * size);
  for (let plane = 0; plane < size; plane++) {
    const start = at + plane * length;
    for (let i = 0, to = plane; i < length; i++, to += size) bytes[to] = block[start + i];
  }
  return new kind(bytes.buffer);
}

/**
 * Runs' values at iterations of their own, one run after another; `starts` has one more entry than there are runs.
 * @param {Uint8Array} block
 * @param {RaggedReference} reference
 * @returns {Ragged}
 */
function ragged(block, reference) {
  const lengths = array(block, reference.lengths);
  const steps = array(block, reference.steps);
  const starts = new Uint32Array(lengths.length + 1);
  const at = new Uint32Array(steps.length);
  for (let run = 0; run < lengths.length; run++) {
    starts[run + 1] = starts[run] + lengths[run];
    let iteration = 0;
    for (let i = starts[run]; i < starts[run + 1]; i++) at[i] = iteration += steps[i];
  }
  return { starts, at, values: /** @type {Float64Array} */ (array(block, reference.values)) };
}

/** A grid of the page: its runs, the settings that they are of, and where each setting stands. */
export class Grid {
  /**
   * @param {any} content as grid.py writes it
   * @param {Uint8Array} block
   */
  constructor(content, block) {
    /** @type {string} */ this.name = content.name;
    /** @type {string} */ this.title = content.title;
    /** @type {string} */ this.unit = content.unit;
    /** @type {number | null} */ this.target = content.target;
    /** @type {number} */ this.budget = content.budget;
    /** @type {{name: string, value: number, protocols: number[]}[]} */ this.chances = content.chances;
    /** @type {{name: string, title: string}[]} */ this.methods = content.methods;
    /** @type {string[]} */ this.protocols = content.protocols;
    /** @type {string[]} */ this.hyper = content.hyper;
    /** @type {string[]} */ this.rates = content.rates;
    /** @type {Panel[]} */ this.panels = content.panels;
    /** @type {{title: string, settings: number[]}[]} */ this.views = content.views;
    /** @type {string} */ this.again = content.again;
    /** @type {Record<string, any[]>} */ this.settings = content.settings;
    /** Of each run, its setting. */
    this.setting = array(block, content.setting);
    this.first = ragged(block, content.first);
    this.sustained = ragged(block, content.sustained);
    /** @type {Record<string, {unit?: string, meaning?: string}>} */
    this.about = { ...content.columns, ...content.curves };
    /** @type {Record<string, any>} */ this._curves = content.curves;
    /** @type {Record<string, any>} */ this._columns = content.columns;
    this._block = block;
    /** @type {Record<string, any>} */ this._made = {};
    /** Of each setting, its runs in the order of their seeds. @type {number[][]} */
    this.runs = content.settings.method.map(() => []);
    this.setting.forEach((setting, run) => this.runs[setting].push(run));
    /** @type {Float64Array} */ this.seeds = this.column("seed");
    for (const runs of this.runs) runs.sort((a, b) => this.seeds[a] - this.seeds[b]);
  }

  /** How many runs there are, those included that have not been made. */
  get size() {
    return this.setting.length;
  }

  /** The names of the trials' columns that differ from run to run. */
  get columnNames() {
    return Object.keys(this._columns);
  }

  /** The names of the curves. */
  get curveNames() {
    return Object.keys(this._curves);
  }

  /**
   * A column of the trials: numbers, NaN for null, or texts, null for null.
   * @param {string} name
   * @returns {any}
   */
  column(name) {
    const kept = this._columns[name];
    if (kept === undefined) return undefined;
    return this._made[name] ??= kept.numbers
      ? array(this._block, kept.numbers)
      : Array.from(array(this._block, kept.codes), (code) => kept.texts[code - 1] ?? null);
  }

  /**
   * A run's curve: iterations and values; empty where it has none.
   * @param {string} name
   * @param {number} run
   */
  curve(name, run) {
    /** @type {Ragged} */
    const all = this._made[`curve ${name}`] ??= ragged(this._block, this._curves[name]);
    const [from, to] = [all.starts[run], all.starts[run + 1]];
    return { x: all.at.subarray(from, to), y: all.values.subarray(from, to) };
  }

  /**
   * The title of a setting's method.
   * @param {number} setting
   */
  methodOf(setting) {
    const name = this.settings.method[setting];
    return this.methods.find((one) => one.name === name)?.title ?? name;
  }

  /**
   * A setting's protocol in words; null where the grid has no other.
   * @param {number} setting
   */
  protocolOf(setting) {
    return this.protocols.length > 1 ? this.protocols[this.settings.protocol[setting]] : null;
  }

  /**
   * The hyper-parameters of a setting, by name.
   * @param {number} setting
   * @returns {[string, Value][]}
   */
  valuesOf(setting) {
    return this.hyper.map((key) => /** @type {[string, Value]} */ ([key, this.settings[key][setting]]))
      .filter(([, value]) => value !== null);
  }
}
