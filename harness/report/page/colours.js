/** Colours: viridis for what squares show, Okabe and Ito's for curves; both can be told apart with any colour vision. */

const VIRIDIS = [
  ...["#440154", "#481a6c", "#472f7d", "#414487", "#39568c", "#31688e", "#2a788e", "#23888e"],
  ...["#1f988b", "#22a884", "#35b779", "#54c568", "#7ad151", "#a5db36", "#d2e21b", "#fde725"],
].map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));

/** Of curves, in light and in dark: each stands out from its background by 3 to 1 or more. */
const LINES = {
  light: ["#0072b2", "#d55e00", "#00805c", "#b0508b", "#111111", "#8a6d00"],
  dark: ["#56b4e9", "#f28e2b", "#2fc79a", "#e39bc4", "#f2f2f2", "#f0e442"],
};
/** Dashes after which the colours begin again. */
const DASHES = [[], [6, 3], [2, 2], [8, 2, 2, 2]];

/**
 * Viridis at a place between 0 and 1: red, green and blue of 255.
 * @param {number} place
 */
export function viridis(place) {
  const at = Math.min(Math.max(place, 0), 1) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  return VIRIDIS[low].map((part, i) => Math.round(part + (at - low) * (VIRIDIS[low + 1][i] - part)));
}

/**
 * Black or white, whichever has more contrast on this colour by WCAG 2's luminance.
 * @param {number[]} colour
 */
export function ink(colour) {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff";
}

/**
 * Where a value stands on a scale, between 0 and 1.
 * @param {number} value
 * @param {{low: number, high: number, log: boolean}} scale
 */
export function place(value, { low, high, log }) {
  if (!(high > low)) return 0.5;
  return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

/** Whether the reader's system asks for a dark page. */
export function isDark() {
  return matchMedia("(prefers-color-scheme: dark)").matches && !matchMedia("print").matches;
}

/**
 * The colour and the dash of the n-th line.
 * @param {number} n
 */
export function line(n) {
  const colours = isDark() ? LINES.dark : LINES.light;
  return {
    colour: colours[n % colours.length],
    dash: DASHES[Math.floor(n / colours.length) % DASHES.length],
  };
}
