/** The formats that a model can be exported to. A further one is a file, and a line here and in spec/words.ts. */
import type { ExportFormat } from '../spec/words.js';
import type { Format } from './format.js';
import { javascript } from './js/module.js';
import { onnx } from './onnx/onnx.js';

export const FORMATS: Readonly<Record<ExportFormat, Format>> = {
  onnx,
  js: javascript,
};
