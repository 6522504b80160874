/** Decompresses a page. Node's zlib also verifies checksums, so it takes gzip and Brotli. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { CompressionCodec } from 'hyparquet';
import { compressors, decompressZstd } from 'hyparquet-compressors';

/** A page is rarely over a mebibyte; a larger one is a damaged header. */
const LARGEST_PAGE = 2 ** 30;

/** @throws Error if the bytes don't give `size` bytes */
export function decompressed(bytes: Uint8Array, size: number, codec: CompressionCodec): Uint8Array {
  if (!(size >= 0 && size <= LARGEST_PAGE)) throw new Error(`found a page of ${size} bytes`);
  // Some codecs write bytes for an empty dictionary that are no valid stream.
  const page = size === 0 ? new Uint8Array(0) : decompress(bytes, size, codec);
  if (page.length !== size) throw new Error(`found a page of ${page.length} bytes, expected ${size}`);
  // Not a Buffer, whose `slice` is no copy.
  return new Uint8Array(page.buffer, page.byteOffset, size);
}

function decompress(bytes: Uint8Array, size: number, codec: CompressionCodec): Uint8Array {
  const most = { maxOutputLength: size };
  switch (codec) {
    case 'UNCOMPRESSED':
      return bytes;
    case 'GZIP':
      return gunzipSync(bytes, most);
    case 'BROTLI':
      return brotliDecompressSync(bytes, most);
    case 'ZSTD':
      return decompressZstd(bytes, new Uint8Array(size));
    default: {
      const other = compressors[codec];
      if (other === undefined) throw new Error(`found the compression ${codec}, expected another`);
      return other(bytes, size);
    }
  }
}
