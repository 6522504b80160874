/** Reads the data of a train config, and that is all: node bench/csv/loadOnce.js <config.json>. */
import { argv } from 'node:process';

import { loadDataset } from '../../dist/data/dataset/loadDataset.js';

import { loadTrainConfig } from '../../dist/spec/loadConfig.js';

const { config, directory } = loadTrainConfig(argv[2]);
await loadDataset(config, directory);
