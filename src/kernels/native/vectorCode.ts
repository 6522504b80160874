/**
 * A small machine with vectors, in which the routines of products and of elementwise kernels are written, once
 * for all instruction sets: each says by which lines of assembly it does what is asked (x86Set.ts, arm64Set.ts).
 *
 * Integers are in registers that a routine takes. Vectors are values: what a routine asks for is noted first,
 * then written with registers, each free again after the last use of its value. A value lives up to the next
 * label, so what a loop changes is a variable: a register of its own.
 */
import type { Assembler } from './assembler.js';

/** As they are written: a register for integers, and a place in memory. */
export type Register = string;
export type Place = string;
type Lines = string | readonly string[];

/** What there is for integers. */
export interface IntegerLines {
  /** A register takes a field of the job, */
  readonly field: (to: Register, field: number) => Lines;
  /** or a field that is an offset in the memory, as an address. */
  readonly address: (to: Register, field: number) => Lines;
  readonly move: (to: Register, from: Register) => Lines;
  readonly add: (to: Register, by: Register | number) => Lines;
  /** A jump behind one of these compares the register with n, or what is left of it with 0. */
  readonly compare: (register: Register, n: number) => Lines;
  readonly subtract: (register: Register, n: number) => Lines;
  readonly jump: (when: 'always' | 'equal' | 'notEqual' | 'less', label: string) => Lines;
  /** For parts 1, 2, … of vectors, takes masks from so many fields of the job. Before all else in a routine. */
  readonly useParts: (field: number, count: number) => Lines;
}

/**
 * What products need of vectors. The first register, `to`, is none of the inputs, which stay as they are, unless
 * it is a variable. To store needs no result, but may use `to`.
 */
export interface ProductLines {
  readonly zero: (to: string) => Lines;
  readonly add: (to: string, x: string, y: string) => Lines;
  /** An element, for `scale` and `multiplyAdd`. */
  readonly factor: (to: string, from: Place) => Lines;
  readonly scale: (to: string, factor: string, x: string) => Lines;
  /** sum + factor·x, rounded once, or for pairs of bfloat16 as reference/bfloat16.ts. It has to be assigned to `sum`. */
  readonly multiplyAdd: (to: string, sum: string, factor: string, x: string) => Lines;
  /** `part` is what `partOf` says, by default '0'. Other lanes become 0, or stay in memory as they are. */
  readonly load: (to: string, from: Place, part?: string) => Lines;
  readonly store: (to: string, value: string, place: Place, part?: string) => Lines;
  /** Of vectors of 16 bytes: parts of 4 or 8 bytes of x and y by turns, from the lower or the upper halves. */
  readonly zipLow4: (to: string, x: string, y: string) => Lines;
  readonly zipHigh4: (to: string, x: string, y: string) => Lines;
  readonly zipLow8: (to: string, x: string, y: string) => Lines;
  readonly zipHigh8: (to: string, x: string, y: string) => Lines;
  /** 16 bytes of elements, or one. A pair is made of two numbers, or, the last of an odd row, of one and 0. */
  readonly loadRow: (to: string, from: Place) => Lines;
  readonly loadElement: (to: string, from: Place) => Lines;
  readonly loadLast: (to: string, from: Place) => Lines;
  readonly storeElement: (to: string, value: string, place: Place) => Lines;
}

export interface InstructionSet<VectorLines = ProductLines> {
  readonly assembler: Assembler;
  /** Writes the function (memory, jobs), with the labels `start`, `next` and `return`. */
  enter(): void;
  readonly registers: readonly Register[];
  readonly integers: IntegerLines;
  readonly vectorRegisters: number;
  readonly vectorBytes: number;
  vectorName(register: number, bytes: number): string;
  at(base: Register, beyond?: Register | number): Place;
  constant(label: string): Place;
  readonly vectors: VectorLines;
  /** The name of a part of a vector with so many elements, '0' if it is whole, and the field of a job for its mask. */
  partOf(rest: number): string;
  maskOf(rest: number): number;
}

/** A value. */
export interface Vector {
  /** Where it is, if this code does not choose a register. */
  readonly place: string | undefined;
  register: number | undefined;
  /** The step that needs it last. */
  lastUse: number;
}
const vectorAt = (place?: string): Vector => ({ place, register: undefined, lastUse: 0 });

/** A number is one in all lanes; a text is written as it is. */
export type Operand = Vector | number | string;

type Asking<VectorLines> = {
  readonly [Name in keyof VectorLines]: VectorLines[Name] extends (
    to: string,
    ...inputs: infer Inputs
  ) => Lines
    ? (...inputs: { [I in keyof Inputs]: Operand }) => Vector
    : never;
};

/** 0, 1, … below `end`. */
export const upTo = (end: number) => Array.from({ length: end }, (_, i) => i);

interface Step {
  readonly lines: (to: string, ...inputs: readonly string[]) => Lines;
  readonly inputs: readonly Vector[];
  to?: Vector;
}

export class VectorCode<VectorLines extends Pick<ProductLines, 'load'> = ProductLines> {
  readonly integers: {
    readonly [Name in keyof IntegerLines]: (...inputs: Parameters<IntegerLines[Name]>) => void;
  };
  readonly vectors: Asking<VectorLines>;
  readonly at: InstructionSet['at'];
  readonly #set: InstructionSet<VectorLines>;
  readonly vectorBytes: number;
  /** Of vectors now. */
  #width: number;
  #takenRegisters = 0;
  #variables = 0;
  #labels = 0;
  #steps: Step[] = [];
  readonly #constants = new Map<string, Int32Array>();

  constructor(set: InstructionSet<VectorLines>) {
    this.#set = set;
    this.vectorBytes = set.vectorBytes;
    this.#width = set.vectorBytes;
    this.at = set.at;
    const askAll = <Ask>(
      table: object,
      asking: (lines: (...inputs: readonly unknown[]) => Lines) => unknown,
    ) => Object.fromEntries(Object.entries(table).map(([name, lines]) => [name, asking(lines)])) as Ask;
    this.integers = askAll(set.integers, (linesOf) => (...inputs: readonly unknown[]) => {
      const lines = linesOf(...inputs);
      this.#steps.push({ inputs: [], lines: () => lines });
    });
    this.vectors = askAll(set.vectors, (lines) => (...operands: readonly Operand[]) => {
      const inputs = operands.map((operand, i) => this.#input(operand, i === operands.length - 1));
      return this.#value(inputs, lines);
    });
    set.enter();
  }

  /** What a job does that starts here. The next job follows. */
  routine(name: string, body: () => void): void {
    this.#takenRegisters = 0;
    this.variables(0);
    this.#set.assembler.label(name);
    body();
    this.integers.jump('always', 'next');
    this.#write();
  }

  register(): Register {
    const register = this.#set.registers[this.#takenRegisters++];
    if (register === undefined) throw new Error('no register for integers is left');
    return register;
  }

  /** Registers with fields of the job, as numbers or as addresses. */
  take<Name extends string>(
    as: 'field' | 'address',
    job: Readonly<Record<Name, number>>,
    ...names: readonly Name[]
  ): Record<Name, Register> {
    const registers = {} as Record<Name, Register>;
    for (const name of names) {
      registers[name] = this.register();
      this.integers[as](registers[name], job[name]);
    }
    return registers;
  }

  /** While the register is at least n: the body, then it is less by n. */
  whileAtLeast(n: number, register: Register, body: () => void): void {
    const { compare, subtract, jump } = this.integers;
    const end = this.#newLabel();
    const again = this.#loop();
    compare(register, n);
    jump('less', end);
    body();
    subtract(register, n);
    jump('always', again);
    this.#label(end);
  }

  /** The body as often as the register says. */
  repeat(register: Register, body: () => void): void {
    const { compare, subtract, jump } = this.integers;
    const end = this.#newLabel();
    compare(register, 0);
    jump('equal', end);
    const again = this.#loop();
    body();
    subtract(register, 1);
    jump('notEqual', again);
    this.#label(end);
  }

  ifEqual(n: number, register: Register, body: () => void, otherwise?: () => void): void {
    const [skip, end] = [this.#newLabel(), this.#newLabel()];
    this.integers.compare(register, n);
    this.integers.jump('notEqual', skip);
    body();
    if (otherwise) this.integers.jump('always', end);
    this.#label(skip);
    otherwise?.();
    this.#label(end);
  }

  /** Takes so many vector registers, in place of those before. */
  variables(count: number): readonly Vector[] {
    this.#write();
    this.#variables = count;
    // The last ones, so that values are in the same registers everywhere.
    const { vectorRegisters, vectorName } = this.#set;
    return Array.from({ length: count }, (_, i) =>
      vectorAt(vectorName(vectorRegisters - 1 - i, this.#width)),
    );
  }

  /** The variable takes the value, which must be the last one that was asked for. */
  assign(variable: Vector, value: Vector): void {
    const last = this.#steps.at(-1);
    if (last?.to !== value) throw new Error('found another value, expected the last one');
    last.to = variable;
  }

  /** In the body, vectors have 16 bytes. */
  narrow(body: () => void): void {
    this.#write();
    this.#width = 16;
    body();
    this.#write();
    this.#width = this.vectorBytes;
  }

  /** An integer in each lane. */
  constant(label: string, of: (lane: number) => number): Vector {
    const lanes = Int32Array.from({ length: this.#set.vectorBytes / 4 }, (_, lane) => of(lane));
    if (!this.#constants.has(label)) this.#constants.set(label, lanes);
    return vectorAt(this.#set.constant(label));
  }

  /** The same in all lanes. */
  bits(bits: number): Vector {
    return this.constant(`bits:${bits >>> 0}`, () => bits);
  }

  /** The code, with the constants behind it. */
  finish(): Uint8Array {
    const { assembler } = this.#set;
    for (const [label, lanes] of this.#constants) assembler.data(label, new Uint8Array(lanes.buffer));
    return assembler.finish();
  }

  /** A constant is loaded, unless it is the last of an instruction, which may be memory. */
  #input(operand: Operand, isLast: boolean): Vector {
    if (typeof operand === 'string') return vectorAt(operand);
    if (typeof operand === 'object') return operand;
    const constant = this.bits(new Int32Array(Float32Array.of(operand).buffer)[0]);
    return isLast ? constant : this.#value([constant], this.#set.vectors.load);
  }

  #value(inputs: readonly Vector[], lines: Step['lines']): Vector {
    const to = vectorAt();
    for (const input of inputs) input.lastUse = this.#steps.length;
    this.#steps.push({ to, inputs, lines });
    return to;
  }

  /** Chooses registers for the values, and writes what was asked. */
  #write(): void {
    const { vectorRegisters, vectorName, assembler } = this.#set;
    const free: number[] = [];
    let next = 0;
    const nameOf = ({ place, register = Number.NaN }: Vector) => place ?? vectorName(register, this.#width);
    this.#steps.forEach(({ to, inputs, lines }, at) => {
      const places = inputs.map(nameOf);
      if (to && !to.place) to.register = free.pop() ?? next++;
      if (next + this.#variables > vectorRegisters) throw new Error(`no register is left for step ${at}`);
      const written = lines(to ? nameOf(to) : '', ...places);
      if (typeof written === 'string') assembler.emit(written);
      else assembler.emit(...written);
      const release = (vector: Vector) => {
        if (vector.register === undefined || vector.lastUse > at) return;
        free.push(vector.register);
        vector.register = undefined;
      };
      inputs.forEach(release);
      if (to) release(to);
    });
    this.#steps = [];
  }

  /** The label of the top of a loop that begins here. */
  #loop(): string {
    const again = this.#newLabel();
    this.#write();
    this.#set.assembler.alignLoop();
    this.#label(again);
    return again;
  }

  #newLabel(): string {
    return `label${this.#labels++}`;
  }

  #label(name: string): void {
    this.#write();
    this.#set.assembler.label(name);
  }
}
