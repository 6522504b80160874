/**
 * The directory of an ensemble: ensemble.json, and the model file of each member. It needs nothing
 * outside of it. It may come from anywhere: everything is checked before it is used.
 */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { asDataError, ExitCode, MlpError, readError } from '../errors.js';
import { writeFolderAtomically } from '../files/atomic.js';
import { statOf } from '../files/runFiles.js';
import { choice, list, number, object, text, wholeNumber } from '../spec/fields.js';
import { readJson, toCanonicalJson } from '../spec/json.js';
import { checkSchema, formatLocation } from '../spec/messages.js';
import { ENSEMBLE_METHODS, ENSEMBLE_METRICS } from '../spec/words.js';
import * as z from '../spec/zod.js';
import { printable } from '../text.js';
import { type Ensemble, ensembleOf } from './ensemble.js';
import { encodeLoaded, loadModel, type Model } from './load.js';

export const ENSEMBLE_FILE = 'ensemble.json';

const FORMAT = 'mlp ensemble';
/** Raised when an old reader would be misled. */
const FORMAT_VERSION = 1;

export const MOST_ENSEMBLED = 1000;
const MOST_WEIGHT = 1_000_000;

const memberSchema = object({
  /** The checksum in its model file. */
  checksum: text('a checksum'),
  weight: wholeNumber(1, MOST_WEIGHT),
  /** The run that it comes from, relative to the ensemble. */
  run: text('the path of a run'),
  weightsSha256: text('a SHA-256'),
  /** By the metric of the ensemble, on the rows that it was chosen on. */
  score: number().exactOptional(),
});

const membersExpected = `an array of at most ${MOST_ENSEMBLED} members`;

const contentSchema = object({
  format: z.literal(FORMAT, { error: `"${FORMAT}"` }),
  formatVersion: z.literal(FORMAT_VERSION, { error: `${FORMAT_VERSION}` }),
  version: text('a version'),
  method: choice(ENSEMBLE_METHODS),
  /** Of a choice. */
  metric: choice(ENSEMBLE_METRICS).exactOptional(),
  score: number().exactOptional(),
  members: list(memberSchema, membersExpected, [1, 'at least one member']).check(({ value, issues }) => {
    if (value.length <= MOST_ENSEMBLED) return;
    issues.push({
      code: 'custom',
      input: value,
      message: `found ${value.length} members, expected ${membersExpected}`,
    });
  }),
  checksum: text('a checksum'),
});

/** What ensemble.json holds. */
export interface EnsembleContent extends z.infer<typeof contentSchema> {}
export type MemberContent = EnsembleContent['members'][number];

/** An ensemble with all that its file says. */
export interface LoadedEnsemble extends Ensemble {
  readonly content: EnsembleContent;
}

/** The name of the model file of member i, from 0. */
export function memberFile(i: number): string {
  return `member-${i + 1}.safetensors`;
}

/**
 * The names of the files in a directory that are those of an ensemble.
 * @throws MlpError ExitCode.noPermission or io
 */
export function ensembleFiles(path: string): string[] {
  let names: string[];
  try {
    names = readdirSync(path);
  } catch (error) {
    throw readError(printable(path), error);
  }
  return names.filter((name) => name === ENSEMBLE_FILE || /^member-\d+\.safetensors$/.test(name));
}

/** Whether a directory holds an ensemble. */
export function isEnsemble(path: string): boolean {
  return statOf(path)?.isDirectory() === true && statOf(join(path, ENSEMBLE_FILE)) !== undefined;
}

/**
 * A model or an ensemble by its path.
 * @throws MlpError as `loadModel` and `loadEnsemble`
 */
export function openModel(path: string): Model | LoadedEnsemble {
  return isEnsemble(path) ? loadEnsemble(path) : loadModel(path);
}

/** @throws MlpError ExitCode.data for damage, or members that do not fit; as `loadModel` for a member */
export function loadEnsemble(path: string): LoadedEnsemble {
  const file = join(path, ENSEMBLE_FILE);
  const content = readContent(file);
  const members = content.members.map(({ checksum, weight }, i) => {
    const model = loadModel(join(path, memberFile(i)));
    if (model.checksum === checksum) return { model, weight };
    throw new MlpError(
      ExitCode.data,
      `${model.path}: found a model of checksum ${model.checksum ?? 'unknown'}, expected ${printable(checksum)} as in ${ENSEMBLE_FILE}`,
      'the ensemble is damaged: copy it again, or make it anew with mlp ensemble',
    );
  });
  const notes = members.flatMap(({ model }) => model.notes ?? []);
  return { ...ensembleOf(printable(path), members), content, ...(notes.length > 0 && { notes }) };
}

function readContent(file: string): EnsembleContent {
  const { value, text } = asDataError(() => readJson(file));
  const content = asDataError(() => checkSchema(contentSchema, value, (path) => ({ file, path, text })));
  const { checksum, ...rest } = content;
  const found = checksumOf(rest);
  if (found === checksum) return content;
  throw new MlpError(
    ExitCode.data,
    `${formatLocation({ file, path: ['checksum'], text })}: found content of checksum ${found}, expected ${printable(checksum).slice(0, found.length)}`,
    'the file is damaged: copy the ensemble again, or make it anew with mlp ensemble',
  );
}

/** What is not in the models: how they were chosen. */
export type Choice = Pick<EnsembleContent, 'version' | 'method' | 'metric' | 'score'> & {
  readonly members: readonly (Omit<MemberContent, 'checksum' | 'weightsSha256'> & {
    readonly model: Model;
  })[];
};

/**
 * Writes an ensemble into a new directory, all of it or nothing.
 * @throws MlpError ExitCode.cantCreate if something is there; noPermission or io
 */
export async function writeEnsemble(path: string, { members, version, ...choice }: Choice): Promise<void> {
  const files = members.map(({ model }) => encodeLoaded(model));
  const rest = {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    version,
    ...choice,
    members: members.map(({ model: _, ...member }, i) => ({
      checksum: files[i].checksum,
      ...member,
      weightsSha256: files[i].sha256,
    })),
  } as const;
  const content: Omit<EnsembleContent, 'checksum'> = { ...rest, members: [...rest.members] };
  const whole = { ...content, checksum: checksumOf(content) };
  await writeFolderAtomically(
    path,
    [
      ...files.map(({ header, parts }, i) => [memberFile(i), [header, ...parts]] as const),
      [ENSEMBLE_FILE, [`${JSON.stringify(whole, undefined, 2)}\n`]] as const,
    ],
    'name another directory with -o',
  );
}

/** SHA-256 of the content, whatever the order of its keys. */
function checksumOf(content: Omit<EnsembleContent, 'checksum'>): string {
  return createHash('sha256').update(toCanonicalJson(content)).digest('hex');
}
