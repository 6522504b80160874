/** mlp schema: the JSON Schemas that editors use to check configs, specs and sweeps. */
import { ExitCode, MlpError } from '../errors.js';
import { oneOf, suggest } from '../spec/messages.js';
import { sweepJsonSchema } from '../spec/sweepConfig.js';
import { configJsonSchema, networkJsonSchema } from '../spec/trainConfig.js';
import { quote } from '../text.js';
import { print, toJson } from './output.js';

const SCHEMAS = { config: configJsonSchema, network: networkJsonSchema, sweep: sweepJsonSchema };

export async function run(kind: string): Promise<void> {
  if (!Object.hasOwn(SCHEMAS, kind)) {
    const kinds = Object.keys(SCHEMAS);
    const message = `unknown schema ${quote(kind)}; expected ${oneOf(kinds)}`;
    throw new MlpError(ExitCode.usage, message, suggest(kind, kinds));
  }
  print(toJson(SCHEMAS[kind as keyof typeof SCHEMAS](), 2));
}
