/**
 * What is used of zod, for the build to bundle it alone. Most of the time of a small command was that of zod, whose
 * every schema has a hundred methods. So this is zod/mini, whose schemas have six, with those methods that are chained
 * here: the types are zod's. Another function or method of zod needs a line below.
 */
import type * as zod from 'zod';
import * as mini from 'zod/mini';

export type { core, infer, input, ZodObject, ZodRawShape, ZodType } from 'zod';

type Schema = mini.ZodMiniType<never>;
type Params = { readonly error: string };

/** As the methods of zod with these names. */
const METHODS: ThisType<Schema> = {
  describe(description: string) {
    return withMeta(this, { description });
  },
  meta(meta: mini.core.GlobalMeta) {
    return withMeta(this, meta);
  },
  default(value: never) {
    return mini._default(this, value);
  },
  prefault(value: never) {
    return mini.prefault(this, value);
  },
  optional() {
    return mini.optional(this);
  },
  exactOptional() {
    return mini.exactOptional(this);
  },
  transform(change: (value: never) => unknown) {
    return mini.pipe(this, mini.transform(change));
  },
  refine(isRight: (value: unknown) => boolean, params: Params) {
    return this.check(mini.refine(isRight, params));
  },
  regex(pattern: RegExp, params: Params) {
    return this.check(mini.regex(pattern, params) as never);
  },
  length(of: number, params: Params) {
    return this.check(mini.length(of, params) as never);
  },
  min(least: number, params: Params) {
    return this.check(
      (this.type === 'number' ? mini.gte(least, params) : mini.minLength(least, params)) as never,
    );
  },
  max(most: number, params: Params) {
    return this.check(
      (this.type === 'number' ? mini.lte(most, params) : mini.maxLength(most, params)) as never,
    );
  },
  gt(limit: number, params: Params) {
    return this.check(mini.gt(limit, params) as never);
  },
  lt(limit: number, params: Params) {
    return this.check(mini.lt(limit, params) as never);
  },
  positive(params: Params) {
    return this.check(mini.gt(0, params) as never);
  },
};

function withMeta(schema: Schema, meta: mini.core.GlobalMeta): Schema {
  // The same schema may be described elsewhere.
  const copy = schema.clone();
  mini.globalRegistry.add(copy, meta);
  return copy;
}

const CLASSES = [
  mini.ZodMiniAny,
  mini.ZodMiniArray,
  mini.ZodMiniBoolean,
  mini.ZodMiniDefault,
  mini.ZodMiniDiscriminatedUnion,
  mini.ZodMiniEnum,
  mini.ZodMiniExactOptional,
  mini.ZodMiniLazy,
  mini.ZodMiniLiteral,
  mini.ZodMiniNumber,
  mini.ZodMiniNumberFormat,
  mini.ZodMiniObject,
  mini.ZodMiniOptional,
  mini.ZodMiniPipe,
  mini.ZodMiniPrefault,
  mini.ZodMiniRecord,
  mini.ZodMiniString,
  mini.ZodMiniTuple,
  mini.ZodMiniUnion,
];
for (const { prototype } of CLASSES) Object.setPrototypeOf(prototype, METHODS);

const used = {
  any: mini.any,
  array: mini.array,
  boolean: mini.boolean,
  discriminatedUnion: mini.discriminatedUnion,
  enum: mini.enum,
  int: mini.int,
  lazy: mini.lazy,
  literal: mini.literal,
  number: mini.number,
  record: mini.record,
  strictObject: mini.strictObject,
  string: mini.string,
  toJSONSchema: mini.toJSONSchema,
  tuple: mini.tuple,
  union: mini.union,
};
export const {
  any,
  array,
  boolean,
  discriminatedUnion,
  enum: enumOf,
  int,
  lazy,
  literal,
  number,
  record,
  strictObject,
  string,
  toJSONSchema,
  tuple,
  union,
} = used as unknown as Pick<typeof zod, keyof typeof used>;
export { enumOf as enum };
