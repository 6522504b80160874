/** What keys and words of a config are called elsewhere: usual abbreviations, and other libraries. */

/** Each key or word, and its other names. */
const NAMES: Readonly<Record<string, string>> = {
  layers: 'hidden hiddenSizes hiddenLayers hiddenLayerSizes hiddenUnits architecture arch widths nodes sizes',
  units: 'neurons size width n out outputs outFeatures hidden nodes',
  rate: 'p prob probability dropout drop dropoutRate',
  slope: 'negativeSlope alpha',
  learningRate: 'lr eta stepSize learningRateInit lr0 baseLr',
  weightDecay: 'wd decay',
  alpha: 'rho',
  epsilon: 'eps',
  momentum: 'mom mu',
  beta1: 'b1 betas',
  beta2: 'b2',
  initialAccumulator: 'initialAccumulatorValue',
  batchSize: 'bs batch mb miniBatch miniBatchSize',
  epochs: 'ep nEpochs numEpochs maxEpochs maxIter numTrainEpochs',
  steps: 'iter iters iterations nSteps numSteps maxSteps',
  optimizer: 'opt optim solver optimiser algorithm',
  schedule: 'sched scheduler lrSchedule lrScheduler lrDecay learningRateSchedule warmup',
  loss: 'criterion objective lossFn lossFunction cost',
  labelSmoothing: 'smoothing smooth smoothEps labelSmooth useLs ls',
  l2: 'reg lambda regularization regularizer ridge l2Reg l2Lambda weightPenalty lam',
  l1: 'lasso l1Reg',
  clipNorm: 'clip gradClip gradientClip gradientClipping maxNorm maxGradNorm clipGradNorm',
  earlyStopping: 'es earlyStop',
  refit: 'retrain refitFull finalFit',
  patience: 'nIterNoChange',
  minDelta: 'tol tolerance',
  monitor: 'metric',
  clipPredictions: 'clip clipOutputs clipTarget',
  seed: 'rng randomState randomSeed',
  dtype: 'precision floatType',
  mixedPrecision: 'amp autocast bf16 bfloat16 mixed',
  backend: 'device',
  threads: 'workers nThreads numThreads numWorkers nJobs cores cpus',
  train: 'csv path file files filename fileName trainFile dataset data source',
  target: 'y label labels response outcome yCol output',
  features: 'x xCols predictors inputs columns cols',
  exclude: 'drop ignore dropColumns skip skipColumns without',
  delimiter: 'sep separator delim',
  validation: 'val valid valSplit validationSplit valSize validationFraction dev eval',
  test: 'testSize testSplit',
  missing: 'impute imputer fillna na nan fill',
  missingValues: 'naValues nullValues na nan nulls',
  standardize: 'normalize normalise normalization scale scaler scaling standardise norm',
  targetTransform: 'logTarget targetLog transformTarget yTransform log log1p',
  standardizeTarget: 'normalizeTarget scaleTarget',
  weights: 'classWeight classWeights sampleWeight sampleWeights',
  categories: 'categorical catCols oneHot catFeatures',
  'leaky-relu': 'lrelu',
  silu: 'swish',
  sigmoid: 'logistic',
  identity: 'none',
  linear: 'dense fc',
  dropout: 'drop',
  'batch-norm': 'bn batchNormalization',
  'layer-norm': 'ln layerNormalization',
  'mean-squared-error': 'mse l2 squared squaredError',
  'mean-absolute-error': 'mae l1 l1Loss absoluteError medianAbsolute',
  huber: 'huberLoss smoothL1 smoothL1Loss',
  quantile: 'pinball pinballLoss quantiles quantileLoss',
  poisson: 'poissonNll poissonDeviance count counts',
  'binary-cross-entropy': 'bce logLoss',
  'softmax-cross-entropy': 'ce xent crossEntropy nll categoricalCrossEntropy sparseCategoricalCrossEntropy',
  choice: 'values categorical oneOf options choices',
  int: 'integer quniform randint intUniform',
  float: 'uniform range',
  log: 'logUniform logUniformValues reciprocal',
  trials: 'nTrials runCap maxTrials numSamples',
  space: 'parameters params searchSpace hyperparameters',
  float32: 'f32 fp32 float single',
  float64: 'f64 fp64 double',
  'glorot-uniform': 'xavier xavierUniform',
  'glorot-normal': 'xavierNormal',
  'he-uniform': 'kaimingUniform',
  'he-normal': 'kaiming kaimingNormal',
  blas: 'openblas mkl',
  cosine: 'cosineAnnealing cos',
  'one-cycle': 'oneCycleLr 1cycle',
  'reduce-on-plateau': 'plateau reduceLrOnPlateau',
};

/** By another name, in lower case without dashes: what it may mean. */
export const OTHER_NAMES: ReadonlyMap<string, readonly string[]> = byOtherName();

function byOtherName(): Map<string, string[]> {
  const meanings = new Map<string, string[]>();
  for (const [word, names] of Object.entries(NAMES)) {
    for (const name of names.toLowerCase().split(' ')) {
      meanings.set(name, [...(meanings.get(name) ?? []), word]);
    }
  }
  return meanings;
}

const ACTIVATION = 'an activation is a layer of its own: "layers": [8, "relu", 3]';
const DROPOUT = 'dropout is a layer: {"type": "dropout", "rate": 0.5}';
const BATCH_NORM = 'batch normalisation is a layer: "batch-norm"';

/** Hints for what is no key here, but a layer; the names as in `OTHER_NAMES`. */
export const LAYER_OF_NAME: ReadonlyMap<string, string> = new Map(
  Object.entries({
    act: ACTIVATION,
    activation: ACTIVATION,
    activations: ACTIVATION,
    activationfunction: ACTIVATION,
    hiddenactivation: ACTIVATION,
    nonlinearity: ACTIVATION,
    dropout: DROPOUT,
    dropoutrate: DROPOUT,
    drop: DROPOUT,
    batchnorm: BATCH_NORM,
    batchnormalization: BATCH_NORM,
    bn: BATCH_NORM,
  }),
);
