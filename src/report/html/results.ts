/** What a page tells of a run: plain results, from wherever they come. A page leaves out what is missing. */

export interface RunResults {
  /** How the run is called: its directory. */
  readonly name: string;
  readonly facts: RunFacts;
  /** Sentences: what is missing here, and why. */
  readonly notes: readonly string[];
  readonly epochs: EpochColumns;
  readonly steps?: StepColumns;
  /** In the order of the forward pass. */
  readonly layers: readonly LayerColumns[];
  readonly evaluation?: EvaluationResults;
  readonly data?: DataResults;
  /** A sentence where it was not computed. */
  readonly importance?: ImportanceResults | string;
  readonly network?: NetworkResults;
  /** config.json. */
  readonly config: unknown;
  readonly commands: readonly { readonly command: string; readonly does: string }[];
}

export interface RunFacts {
  readonly status: 'completed' | 'early-stopped' | 'interrupted' | 'unfinished';
  /** What the columns of the target are called, and what is learned of them. */
  readonly targets: readonly string[];
  readonly task?: string;
  readonly classes?: readonly string[];
  readonly dataFile: string;
  readonly rows?: { readonly train: number; readonly validation: number; readonly test: number };
  readonly epochs: number;
  readonly plannedEpochs?: number;
  readonly steps?: number;
  readonly keptEpoch?: number;
  /** The metric that chose the kept epoch, and what stopped the run early. */
  readonly keepMetric?: string;
  readonly refit?: { readonly rows: number; readonly epochs: number };
  readonly optimizer: string;
  readonly learningRate: number;
  readonly seconds?: number;
  /** Scores by split and name, as run.json has them. */
  readonly scores: Readonly<Record<string, Readonly<Record<string, number | null>>>>;
  /** Further facts, in order: name and value. */
  readonly details: readonly (readonly [name: string, value: string])[];
}

/** The columns of epochs.csv by name; NaN for an empty cell. */
export type EpochColumns = ReadonlyMap<string, Float64Array>;

export interface StepColumns {
  /** Rising, each [steps]. */
  readonly step: Float64Array;
  readonly learningRate: Float64Array;
  readonly loss: Float64Array;
  /** Whether these are a sample of the steps. */
  readonly isSample: boolean;
}

/** What layers.csv tells of a layer. Each [epochs]; NaN for an empty cell. */
export interface LayerColumns {
  /** `layers.2` */
  readonly name: string;
  readonly epoch: Float64Array;
  readonly gradientNorm: Float64Array;
  readonly deviation: Float64Array;
  readonly zeros: Float64Array;
}

export interface EvaluationResults {
  readonly split: string;
  /** How many rows are evaluated, and how many there are. */
  readonly rows: number;
  readonly of: number;
  /** Names and values, as `mlp evaluate` reports them. */
  readonly metrics: readonly (readonly [name: string, value: number | null])[];
  readonly classification?: ClassificationResults;
  readonly labels?: readonly LabelResults[];
  readonly regression?: readonly RegressionResults[];
  readonly wrong?: WrongRows;
}

export interface ClassificationResults {
  readonly classes: readonly string[];
  /** counts[actual][predicted] */
  readonly counts: readonly (readonly number[])[];
  readonly scores: readonly ScoreRow[];
  /** For two classes only the second; else those with the most rows. */
  readonly curves: readonly ClassCurves[];
  readonly calibration?: CalibrationResults;
}

export interface LabelResults {
  readonly curves: ClassCurves;
  readonly scores: ScoreRow;
  readonly calibration?: CalibrationResults;
}

export interface ScoreRow {
  readonly name: string;
  readonly support: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly rocAuc: number | null;
}

/** Of a class against the others. */
export interface ClassCurves {
  readonly name: string;
  readonly rocAuc: number | null;
  readonly averagePrecision: number | null;
  /** The share of rows that are of it, which is the precision of a guess. */
  readonly share: number;
  readonly roc: Curve;
  readonly precisionRecall: Curve;
  /** Where on the curves the probability ½ is; only for two classes and labels. */
  readonly half?: {
    readonly roc: readonly [x: number, y: number];
    readonly precisionRecall: readonly [x: number, y: number];
  };
}

export interface Curve {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly thresholds: readonly number[];
}

export interface CalibrationResults {
  /** What is predicted with these probabilities. */
  readonly of: string;
  readonly bins: readonly {
    /** The bounds of their probabilities. */
    readonly from: number;
    readonly to: number;
    readonly rows: number;
    readonly probability: number;
    readonly share: number;
  }[];
  readonly error: number;
}

export interface RegressionResults {
  readonly target: string;
  readonly scores: readonly (readonly [name: string, value: number | null])[];
  /** A sample of the rows. */
  readonly actual: readonly number[];
  readonly predicted: readonly number[];
  /** Of all evaluated rows: predicted less actual. */
  readonly residuals: Histogram;
}

export interface Histogram {
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
}

export interface WrongRows {
  readonly columns: readonly string[];
  readonly rows: readonly {
    /** Among those of its file, from 1. */
    readonly number: number;
    readonly actual: string;
    readonly predicted: string;
    readonly loss: number;
    /** For classes, the probability of the predicted and of the actual one. */
    readonly probabilities?: readonly [predicted: number, actual: number];
    readonly cells: readonly string[];
    /** Where the inputs are an image. */
    readonly picture?: Picture;
  }[];
}

/** An image of one colour with the values 0 to 1, row by row. */
export interface Picture {
  readonly width: number;
  readonly values: ArrayLike<number>;
}

export interface DataResults {
  readonly rows: number;
  readonly columns: readonly ColumnResults[];
  /** How many columns there are, where these are the first. */
  readonly of: number;
  readonly target?: ColumnResults;
  readonly warnings: readonly string[];
  /** Where the inputs are an image: the mean of each class, or of all rows. */
  readonly pictures?: readonly { readonly name: string; readonly picture: Picture }[];
}

export interface ColumnResults {
  readonly name: string;
  readonly kind: string;
  readonly inputs: number;
  readonly missing: number;
  /** How its numbers are written, if not as numbers. */
  readonly show?: (value: number) => string;
  readonly least?: number;
  readonly greatest?: number;
  readonly mean?: number;
  readonly deviation?: number;
  readonly histogram?: Histogram;
  /** The most frequent first. */
  readonly levels?: readonly { readonly name: string; readonly rows: number }[];
  readonly levelCount?: number;
  /** The only value. */
  readonly value?: string;
}

export interface ImportanceResults {
  readonly rows: number;
  readonly repeats: number;
  readonly loss: number;
  readonly columns: readonly {
    readonly column: string;
    /** Its number among the columns of the data, which is that of the pixel of an image. */
    readonly place: number;
    readonly mean: number;
    readonly deviation: number;
  }[];
  /** Where the inputs are an image: its width, so that the importance can be one, too. */
  readonly pictureWidth?: number;
}

export interface NetworkResults {
  readonly inputs: number;
  readonly layers: readonly LayerResults[];
  readonly parameters: bigint;
  readonly weights: bigint;
  readonly biases: bigint;
  readonly members: number;
  /** Of a small network: the weights of each linear layer [inputs, outputs], by the name of the layer. */
  readonly small?: { readonly inputNames: readonly string[]; readonly outputNames: readonly string[] };
  readonly firstWeights?: FirstWeights;
}

export interface LayerResults {
  readonly name: string;
  readonly type: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly parameters: bigint;
  readonly depth: number;
  /** [inputs, outputs] of a linear layer of a small network. */
  readonly weights?: ArrayLike<number>;
}

/** What each unit of the first layer looks for in an image. */
export interface FirstWeights {
  readonly width: number;
  /** Those with the greatest weights first; each has [inputs]. */
  readonly units: readonly { readonly number: number; readonly weights: ArrayLike<number> }[];
  readonly of: number;
}

/** Several runs side by side. */
export interface RunsResults {
  readonly title: string;
  readonly runs: readonly {
    readonly name: string;
    readonly status: string;
    readonly keptEpoch?: number;
    readonly seconds?: number;
    readonly epochs: EpochColumns;
    readonly scores: ReadonlyMap<string, number>;
  }[];
  /** The names of the scores that any run has, and whether larger ones are better. */
  readonly scores: readonly { readonly name: string; readonly maximize: boolean }[];
  /** Settings in which the configs differ, with a text for each run; undefined where a run lacks it. */
  readonly differences: readonly { readonly key: string; readonly values: readonly (string | undefined)[] }[];
  readonly notes: readonly string[];
}

export interface StudyResults {
  readonly name: string;
  readonly method: string;
  readonly metric: string;
  readonly maximize: boolean;
  /** How many settings are varied; one may have several parameters. */
  readonly settings: number;
  readonly parameters: readonly ParameterResults[];
  readonly trials: readonly TrialResults[];
  /** The number of the best trial. */
  readonly best?: number;
  /** The best first. */
  readonly ranking: readonly number[];
  /** Largest first; of few trials there is none. */
  readonly importance?: readonly { readonly parameter: string; readonly share: number }[];
  readonly curves: readonly { readonly trial: number; readonly x: Float64Array; readonly y: Float64Array }[];
  /** The scores of the best trial. */
  readonly scores: RunFacts['scores'];
  /** best.json. */
  readonly config?: unknown;
  readonly commands: RunResults['commands'];
}

export interface ParameterResults {
  readonly name: string;
  readonly log: boolean;
  readonly low: number;
  readonly high: number;
  /** Of a choice: its values are the numbers of these. */
  readonly labels?: readonly string[];
}

export interface TrialResults {
  readonly number: number;
  readonly state: 'complete' | 'stopped' | 'failed' | 'open';
  readonly epochs: number;
  readonly value: number | null;
  /** [parameters] NaN where a parameter is not active. */
  readonly point: readonly number[];
  /** By the settings of the sweep, as text. */
  readonly settings: readonly (readonly [path: string, value: string])[];
}

export interface FoldsResults {
  readonly name: string;
  readonly status: string;
  /** How many times the rows are divided, and what a fold is to its run: test or validation. */
  readonly repeats: number;
  readonly as: string;
  readonly folds: readonly {
    readonly name: string;
    readonly rows: number;
    readonly keptEpoch: number;
    readonly scores: Readonly<Record<string, number | null>>;
    readonly epochs: EpochColumns;
  }[];
  readonly averages: Readonly<Record<string, { readonly mean: number; readonly deviation: number | null }>>;
  readonly config: unknown;
  readonly commands: RunResults['commands'];
}
