/** The JSON Schemas that editors read: made from the zod schemas that check the files, so the two can't disagree. */

import { layerNames, layerSchema, networkSchema } from './networkSchema.js';
import { trainSchema } from './trainSchema.js';
import * as z from './zod.js';

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** The schema of a train config, with the short forms of layers, and a spec's path for its network. */
export function configJsonSchema(): JsonSchema {
  const schema = toJsonSchema(trainSchema);
  const network = schema.properties?.network;
  if (typeof network !== 'object') throw new Error('the schema of a train config has no network');
  return {
    ...schema,
    properties: {
      ...schema.properties,
      network: {
        anyOf: [
          { type: 'string', minLength: 1, description: 'The path of a spec file, relative to this file.' },
          network,
        ],
      },
    },
  };
}

/** The schema of a network spec in a file of its own. */
export function networkJsonSchema(): JsonSchema {
  return toJsonSchema(networkSchema);
}

function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      if (zodSchema !== layerSchema) return;
      jsonSchema.oneOf = [
        { type: 'integer', minimum: 1, description: 'Short for a linear layer with so many units.' },
        { type: 'string', enum: [...layerNames], description: 'Short for {"type": …}.' },
        ...(jsonSchema.oneOf ?? []),
      ];
    },
  });
}
