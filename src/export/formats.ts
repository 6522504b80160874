/** The formats that a model can be exported to. A further one is a file, and a line here and in spec/words.ts. */
import type { ExportFormat } from '../spec/words.js';
import { c } from './c/c.js';
import type { Format } from './format.js';
import { javascript } from './js/module.js';
import { onnx } from './onnx/onnx.js';
import { npz } from './python/npz.js';
import { numpy } from './python/numpy.js';
import { pytorch } from './python/pytorch.js';

export const FORMATS: Readonly<Record<ExportFormat, Format>> = {
  onnx,
  js: javascript,
  numpy,
  pytorch,
  npz,
  c,
};
