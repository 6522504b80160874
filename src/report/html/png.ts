/** Small pictures as PNG (ISO/IEC 15948), within the page. */
import { crc32, deflateSync } from 'node:zlib';
import { html, type Markup } from './markup.js';

export type Colour = readonly [red: number, green: number, blue: number, alpha: number];

/**
 * An `<img>` of a picture of at most 256 colours, enlarged without smoothing.
 * @param indices [width · height] the colour of each pixel, by its number in `palette`
 * @param zoom how many pixels of the page a pixel takes
 */
export function image(
  indices: Uint8Array,
  width: number,
  palette: readonly Colour[],
  { alt, zoom, kind = '' }: { readonly alt: string; readonly zoom: number; readonly kind?: string },
): Markup {
  const height = indices.length / width;
  const data = encodePng(indices, width, palette).toString('base64');
  return html`<img class="pixels${kind && ` ${kind}`}" alt="${alt}" width="${Math.round(width * zoom)}" height="${Math.round(height * zoom)}" src="data:image/png;base64,${data}">`;
}

/** An image of indexed colours with 8 bits for each pixel. */
export function encodePng(indices: Uint8Array, width: number, palette: readonly Colour[]): Buffer {
  const height = indices.length / width;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits, colours of a palette; compression, filter and order are the only ones.
  header.set([8, 3, 0, 0, 0], 8);
  const rows = Buffer.alloc((width + 1) * height);
  for (let row = 0; row < height; row++) {
    rows.set(indices.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  }
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.flatMap((colour) => colour.slice(0, 3)))),
    chunk('tRNS', Buffer.from(palette.map(([, , , alpha]) => alpha))),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

const SHADES = 64;

/** From nothing to a colour: it fits a light and a dark page. */
export function shades(red: number, green: number, blue: number): Colour[] {
  return Array.from({ length: SHADES }, (_, i) => [red, green, blue, Math.round((255 * i) / (SHADES - 1))]);
}

/** The shade of a value from 0 to 1. */
export function shadeOf(value: number): number {
  return Math.round(Math.min(1, Math.max(0, Number.isNaN(value) ? 0 : value)) * (SHADES - 1));
}

/** From one colour by nothing to another, for values from −1 to 1: those below 0 and above. */
export const SIGNED: readonly Colour[] = [...shades(217, 95, 14).reverse(), ...shades(47, 134, 214)];

export function signedShadeOf(value: number): number {
  return value < 0 ? SHADES - 1 - shadeOf(-value) : SHADES + shadeOf(value);
}
