#!/usr/bin/env node
const { existsSync } = require('node:fs');
const { join, resolve } = require('node:path');

if (existsSync(join(__dirname, '../dist/program/main.cjs'))) {
  require('./load.js').load('program/main.cjs').main();
} else {
  console.error(`error: mlp is not built\nhint: run npm run build in ${resolve(__dirname, '..')}`);
  process.exitCode = 69;
}
