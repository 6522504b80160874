/** What the assemblers of x86.ts and arm64.ts share: a line of text becomes bytes at once, and labels are places in them. */
export abstract class Assembler {
  protected readonly bytes: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #references: { label: string; write: (offset: number) => void }[] = [];
  readonly #encoded = new Map<string, readonly number[]>();
  /** Each instruction and label as it was written, with where it starts. */
  readonly listing: { at: number; line: string }[] = [];

  label(name: string): void {
    this.#labels.set(name, this.bytes.length);
    this.listing.push({ at: this.bytes.length, line: `${name}:` });
  }

  /** Moves what follows, the top of a loop, to where the processor fetches it fastest. */
  alignLoop(): void {}

  /** Where a label is. @throws Error if there is none */
  offsetOf(label: string): number {
    const offset = this.#labels.get(label);
    if (offset === undefined) throw new Error(`no label "${label}"`);
    return offset;
  }

  /** One or more lines. @throws Error for an instruction or operand that is not known here */
  emit(...lines: readonly string[]): void {
    for (const line of lines) {
      const at = this.bytes.length;
      this.listing.push({ at, line });
      const encoded = this.#encoded.get(line);
      if (encoded) this.bytes.push(...encoded);
      else {
        const references = this.#references.length;
        this.encode(line);
        // Those without a label are the same everywhere.
        if (this.#references.length === references) this.#encoded.set(line, this.bytes.slice(at));
      }
    }
  }

  /** Bytes behind a label, at a multiple of their number. */
  data(label: string, data: Uint8Array): void {
    this.listing.push({ at: this.bytes.length, line: 'data:' });
    while (this.bytes.length % data.length > 0) this.bytes.push(0);
    this.label(label);
    this.bytes.push(...data);
  }

  /** The code, with all distances to labels. It runs at any address. */
  finish(): Uint8Array {
    for (const { label, write } of this.#references) write(this.offsetOf(label));
    return Uint8Array.from(this.bytes);
  }

  protected abstract encode(line: string): void;

  /** Tells `write` where the label is, once all are known. */
  protected refer(label: string, write: (offset: number) => void): void {
    this.#references.push({ label, write });
  }

  /** Four bytes, the lowest first. */
  protected int32(value: number, at = this.bytes.length): void {
    for (let i = 0; i < 4; i++) this.bytes[at + i] = (value >> (8 * i)) & 255;
  }
}
