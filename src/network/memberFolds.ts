/**
 * Folds of the training rows, of which each member of an ensemble is trained without one: member m of F
 * folds without fold m mod F. What a row's own members predict for it says how good they are on new rows.
 */
export interface FoldRange {
  /** In the order of the training rows. */
  readonly first: number;
  readonly rows: number;
  /** The members that are trained without these rows. */
  readonly members: readonly number[];
}

/**
 * The folds that a member is trained without: the first of them, if there are fewer members.
 * @param folds rows of each fold, in the order of the training rows
 */
export function foldRanges(folds: readonly number[], members: number): FoldRange[] {
  let first = 0;
  return folds.slice(0, members).map((rows, fold) => {
    const own = Array.from({ length: members }, (_, m) => m).filter((m) => m % folds.length === fold);
    const range = { first, rows, members: own };
    first += rows;
    return range;
  });
}

/**
 * Writes those of the drawn rows that a member is trained on to `kept`, in their order.
 * @returns how many
 */
export function keepTrained(drawn: Int32Array, { first, rows }: FoldRange, kept: Int32Array): number {
  let count = 0;
  for (const row of drawn) if (row < first || row >= first + rows) kept[count++] = row;
  return count;
}
