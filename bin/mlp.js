#!/usr/bin/env node
const { existsSync } = require('node:fs');
const { dirname, join } = require('node:path');

const PROJECT = dirname(__dirname);
const MAIN = 'program/main.cjs';

if (existsSync(join(PROJECT, 'dist', MAIN))) {
  require('./load.js').load(MAIN).main();
} else {
  console.error(`error: mlp is not built\nhint: run npm run build in ${PROJECT}`);
  process.exitCode = 69;
}
