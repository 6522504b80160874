/** How text is dressed for the reader's terminal. Nothing here looks at the process: `cli` decides and passes it on. */
import type { ChalkInstance } from 'chalk';

export type Paint = (text: string) => string;

/** One function per meaning; each returns its text, with or without escape codes around it. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly warn: Paint;
  /** The two series of a chart. */
  readonly training: Paint;
  readonly validation: Paint;
}

/** What a report is drawn on. */
export interface Display {
  /** Columns of the terminal; no row is wider where that can be helped. */
  readonly width: number;
  readonly style: Style;
  /** True where the terminal has no UTF-8: our own drawing then keeps to ASCII. */
  readonly ascii?: boolean;
}

const asIs: Paint = (text) => text;

/** No colours at all: for pipes, logs, NO_COLOR and TERM=dumb. */
export const plainStyle: Style = {
  bold: asIs,
  dim: asIs,
  good: asIs,
  bad: asIs,
  warn: asIs,
  training: asIs,
  validation: asIs,
};

/**
 * The style of a chalk instance, as many colours as its level allows. Only chalk's type is imported, so that a
 * command without colours never loads it.
 *
 * The series are blue and vermilion, which every common kind of colour blindness tells apart. Both stand out by a
 * contrast of at least 3.5 against black and against white, which no bright yellow does.
 */
export function chalkStyle(chalk: ChalkInstance): Style {
  const manyColours = chalk.level >= 2;
  return {
    bold: chalk.bold,
    dim: chalk.dim,
    good: chalk.green,
    bad: chalk.red,
    warn: chalk.yellow,
    training: manyColours ? chalk.hex('#2080d0') : chalk.blueBright,
    validation: manyColours ? chalk.hex('#d96010') : chalk.yellow,
  };
}
