/**
 * What is used of zod: the build bundles it without the rest, whose loading would dominate `mlp
 * params`.
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
