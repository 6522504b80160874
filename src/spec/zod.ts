/**
 * What is used of zod, by name, so that the build can put it into one file without the rest: loading all of zod takes
 * longer than all else that `mlp params` does.
 */
export {
  any,
  array,
  boolean,
  type core,
  discriminatedUnion,
  enum,
  type infer,
  type input,
  int,
  lazy,
  literal,
  number,
  record,
  strictObject,
  string,
  toJSONSchema,
  union,
  type ZodObject,
  type ZodRawShape,
  type ZodType,
} from 'zod';
