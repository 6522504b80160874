/** mlp schema: the JSON Schema that editors check configs and specs by. */
import { Command } from 'commander';

const KINDS = ['config', 'network'] as const;

export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema of train configs, or that of network specs')
    .argument('[kind]', KINDS.join(' or '), 'config')
    .action(run);
}

async function run(kind: string): Promise<void> {
  const { configJsonSchema, networkJsonSchema } = await import('../spec/jsonSchema.js');
  const { print, toJson } = await import('./output.js');
  switch (kind) {
    case 'config':
      return print(toJson(configJsonSchema(), 2));
    case 'network':
      return print(toJson(networkJsonSchema(), 2));
    default: {
      const { ExitCode, MlpError } = await import('../errors.js');
      const { quote } = await import('../text.js');
      const { oneOf, suggest } = await import('../spec/suggest.js');
      const message = `unknown schema ${quote(kind)}; expected ${oneOf(KINDS)}`;
      throw new MlpError(ExitCode.usage, message, suggest(kind, KINDS));
    }
  }
}
