/**
 * The space of a sweep as parameters. A choice among settings has a parameter for the choice and one
 * for each of these settings, which is active only if it is chosen: `training.l2` and
 * `training.l2[1]`. A point gives each active parameter its value, for a choice the index.
 */
import { toCanonicalJson } from '../spec/json.js';
import { type Choice, isSetting, literalOf, type Setting, type SpaceConfig } from '../spec/spaceConfig.js';
import {
  type Categorical,
  contains,
  countOf,
  type Distribution,
  distributionOf,
  evenlySpaced,
  type Numeric,
  stepAt,
} from './distribution.js';

/** By name of each active parameter its value; for a choice the index of its element. */
export interface Point {
  readonly [parameter: string]: number;
}

/** A value for a path, as `--set` takes it. */
export interface PointSetting {
  readonly path: string;
  readonly value: unknown;
}

/** A parameter of a point as a study holds it, with what it was drawn from. */
export interface RecordedParameter {
  readonly value: number;
  readonly distribution: Distribution;
}

export interface Parameter {
  readonly name: string;
  readonly distribution: Distribution;
  /** For an element of a choice: the choice's name, and the index that makes this active. */
  readonly parent?: { readonly name: string; readonly index: number };
}

export class Space {
  /** Parents come before the settings inside them; else in the order of the sweep. */
  readonly parameters: readonly Parameter[];
  readonly #settings: readonly (readonly [path: string, setting: Setting])[];
  /** Those that were asked for: a sampler asks for those of all trials again and again. */
  readonly #keys = new WeakMap<Point, string>();

  private constructor(config: SpaceConfig) {
    this.#settings = Object.entries(config);
    this.parameters = this.#settings.flatMap(([path, setting]) => [...parametersOf(path, setting)]);
  }

  static of(config: SpaceConfig): Space {
    return new Space(config);
  }

  /** A point whose active parameters get the values that `draw` returns for them, parents first. */
  point(draw: (parameter: Parameter) => number): Point {
    const point: Record<string, number> = {};
    for (const parameter of this.parameters) {
      const { name, parent } = parameter;
      const isActive = parent === undefined || point[parent.name] === parent.index;
      if (isActive) point[name] = draw(parameter);
    }
    return point;
  }

  /** The settings of a point as values, in the order of the sweep, without those it lacks. */
  settingsOf(point: Point): PointSetting[] {
    return this.#settings
      .filter(([path]) => point[path] !== undefined)
      .map(([path, setting]) => ({ path, value: valueAt(setting, path, point) }));
  }

  /** Equal for points of equal settings, whichever parameters lead to them. */
  keyOf(point: Point): string {
    const known = this.#keys.get(point);
    if (known !== undefined) return known;
    const settings = this.settingsOf(point).map(({ path, value }) => [path, value]);
    const key = toCanonicalJson(Object.fromEntries(settings));
    this.#keys.set(point, key);
    return key;
  }

  /**
   * The point that a study holds, perhaps written by Optuna or before the space was extended: then it
   * lacks new settings, and a choice may have another index.
   * @returns undefined if a value is not in this space
   */
  pointOf(recorded: ReadonlyMap<string, RecordedParameter>): Point | undefined {
    const parts = this.#settings
      .filter(([path]) => recorded.has(path))
      .map(([path, setting]) => recordedPoint(setting, path, path, recorded));
    return parts.includes(undefined) ? undefined : Object.assign({}, ...parts);
  }

  /** The number of points; Infinity with real numbers. Some may have equal settings. */
  get size(): number {
    return product(this.#settings.map(([, setting]) => pointCount(setting, false)));
  }

  /** The number of points of the grid. */
  get gridSize(): number {
    return product(this.#settings.map(([, setting]) => pointCount(setting, true)));
  }

  /**
   * All points in order, the last setting fastest.
   * @param asGrid whether ranges with `steps` have only so many values; else they must be finite
   */
  *points(asGrid: boolean): Generator<Point> {
    const counts = this.#settings.map(([, setting]) => pointCount(setting, asGrid));
    const at = counts.map(() => 0);
    for (;;) {
      yield Object.assign(
        {},
        ...this.#settings.map(([path, setting], i) => pointAt(path, setting, at[i], asGrid)),
      );
      let i = at.length - 1;
      while (i >= 0 && ++at[i] === counts[i]) at[i--] = 0;
      if (i < 0) return;
    }
  }
}

function* parametersOf(name: string, setting: Setting, parent?: Parameter['parent']): Generator<Parameter> {
  yield { name, distribution: distributionOf(setting), ...(parent && { parent }) };
  if (!('choice' in setting)) return;
  for (const [index, element] of setting.choice.entries()) {
    if (isSetting(element)) yield* parametersOf(inside(name, index), element, { name, index });
  }
}

/** The name of the parameter for an element of a choice. */
function inside(name: string, index: number): string {
  return `${name}[${index}]`;
}

function valueAt(setting: Setting, name: string, point: Point): unknown {
  const value = point[name];
  if (!('choice' in setting)) return value;
  const element = setting.choice[value];
  return isSetting(element) ? valueAt(element, inside(name, value), point) : literalOf(element);
}

function recordedPoint(
  setting: Setting,
  name: string,
  recordedName: string,
  parameters: ReadonlyMap<string, RecordedParameter>,
): Point | undefined {
  const recorded = parameters.get(recordedName);
  if (recorded === undefined) return undefined;
  const { value } = recorded;
  if (!('choice' in setting)) {
    return contains(distributionOf(setting) as Numeric, value) ? { [name]: value } : undefined;
  }
  const index = recordedIndex(setting, recorded);
  if (index === undefined) return undefined;
  const element = setting.choice[index];
  if (!isSetting(element)) return { [name]: index };
  const nested = recordedPoint(element, inside(name, index), inside(recordedName, value), parameters);
  return nested && { [name]: index, ...nested };
}

/** The index of a recorded choice by its label; that of a nested setting may have other bounds now. */
function recordedIndex(setting: Choice, { value, distribution }: RecordedParameter): number | undefined {
  const { labels } = distributionOf(setting) as Categorical;
  if (distribution.kind !== 'categorical') return undefined;
  const label = distribution.labels[value];
  const index = labels.indexOf(label);
  if (index >= 0) return index;
  const kind = (text: unknown) => /^\{"(choice|int|float|log)":/.exec(String(text))?.[1];
  return kind(label) !== undefined && kind(label) === kind(labels[value]) ? value : undefined;
}

function pointCount(setting: Setting, asGrid: boolean): number {
  if ('choice' in setting) return sum(setting.choice.map((element) => elementCount(element, asGrid)));
  const distribution = distributionOf(setting);
  return asGrid && setting.steps !== undefined
    ? evenlySpaced(distribution as Numeric, setting.steps).length
    : countOf(distribution);
}

function elementCount(element: unknown, asGrid: boolean): number {
  return isSetting(element) ? pointCount(element, asGrid) : 1;
}

/** Point number `index` of a single setting. */
function pointAt(name: string, setting: Setting, index: number, asGrid: boolean): Point {
  if (!('choice' in setting)) {
    const distribution = distributionOf(setting) as Numeric;
    const isSpaced = asGrid && setting.steps !== undefined;
    const value = isSpaced
      ? evenlySpaced(distribution, setting.steps ?? 0)[index]
      : stepAt(distribution, index);
    return { [name]: value };
  }
  let rest = index;
  for (const [i, element] of setting.choice.entries()) {
    const count = elementCount(element, asGrid);
    if (rest < count) {
      return isSetting(element)
        ? { [name]: i, ...pointAt(inside(name, i), element, rest, asGrid) }
        : { [name]: i };
    }
    rest -= count;
  }
  throw new Error(`no point ${index} of ${name}`);
}

function product(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a * b, 1);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
