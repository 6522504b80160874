/** Characters to draw lines on, a layer per line: 2×4 dots in braille (U+2800), one in ASCII. */

const BRAILLE_BLANK = 0x2800;
/** Bits of the dots of a braille character, by row and column (Unicode, chapter 21.1). */
const BRAILLE_BITS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
];

/** The pattern along a line: `on` dots are drawn, then `off` dots are not. */
export interface Dash {
  readonly on: number;
  readonly off: number;
}

export const SOLID: Dash = { on: 1, off: 0 };

export class Canvas {
  /** Size in dots; (0, 0) is the upper left dot. */
  readonly dotColumns: number;
  readonly dotRows: number;
  readonly #dotsAcross: number;
  readonly #dotsDown: number;
  readonly #layers: Uint8Array[];

  constructor(
    readonly columns: number,
    readonly rows: number,
    layers: number,
    ascii: boolean,
  ) {
    this.#dotsAcross = ascii ? 1 : 2;
    this.#dotsDown = ascii ? 1 : 4;
    this.dotColumns = columns * this.#dotsAcross;
    this.dotRows = rows * this.#dotsDown;
    this.#layers = Array.from({ length: layers }, () => new Uint8Array(columns * rows));
  }

  /** Sets one dot; ignores a dot outside of the canvas. */
  dot(layer: number, x: number, y: number): void {
    if (x < 0 || y < 0 || x >= this.dotColumns || y >= this.dotRows) return;
    const bit = BRAILLE_BITS[y % this.#dotsDown][x % this.#dotsAcross];
    this.#layers[layer][this.row(y) * this.columns + this.column(x)] |= bit;
  }

  fill(layer: number, column: number, row: number): void {
    for (let dy = 0; dy < this.#dotsDown; dy++) {
      for (let dx = 0; dx < this.#dotsAcross; dx++) {
        this.dot(layer, column * this.#dotsAcross + dx, row * this.#dotsDown + dy);
      }
    }
  }

  /** A line through integer points (Bresenham 1965); the dash pattern runs along the whole line. */
  path(layer: number, points: readonly (readonly [x: number, y: number])[], { on, off }: Dash = SOLID): void {
    let drawn = 0;
    const mark = (x: number, y: number) => {
      if (drawn++ % (on + off) < on) this.dot(layer, x, y);
    };
    if (points.length > 0) mark(points[0][0], points[0][1]);
    for (let i = 1; i < points.length; i++) {
      let [x, y] = points[i - 1];
      const [endX, endY] = points[i];
      const dx = Math.abs(endX - x);
      const dy = -Math.abs(endY - y);
      let error = dx + dy;
      while (x !== endX || y !== endY) {
        const doubled = 2 * error;
        if (doubled >= dy) {
          error += dy;
          x += x < endX ? 1 : -1;
        }
        if (doubled <= dx) {
          error += dx;
          y += y < endY ? 1 : -1;
        }
        mark(x, y);
      }
    }
  }

  column(x: number): number {
    return Math.floor(x / this.#dotsAcross);
  }

  row(y: number): number {
    return Math.floor(y / this.#dotsDown);
  }

  /** The bits of a character in one layer; 0 is empty. */
  bits(layer: number, column: number, row: number): number {
    return this.#layers[layer][row * this.columns + column];
  }
}

export function braille(bits: number): string {
  return String.fromCodePoint(BRAILLE_BLANK | bits);
}
