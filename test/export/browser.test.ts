/** JavaScript modules in a real browser: in a page, and in a worker. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Row } from '../../src/export/js/cells.js';
import { javascript } from '../../src/export/js/module.js';
import type { Predicted } from '../../src/export/js/runtime.js';
import { CHROMIUM, launchChromium } from '../support/browser.js';
import { ensembleFor, requestOf } from './models.js';

const ROWS: Row[] = [
  { a: 0.25, b: -3, city: 'Bern' },
  { a: '1e3', b: 0, city: 'Ulm' },
  { a: -1, b: 2.5, city: 'Oslo' },
];

/** A site that only this test knows. */
const SITE = 'http://model.test/';

const WORKER = `import { predictBatch } from './model.mjs';
onmessage = ({ data }) => postMessage(predictBatch(data));`;

const IN_PAGE = "async (rows) => (await import('./model.mjs')).predictBatch(rows)";

const IN_WORKER = `(rows) => new Promise((resolve, reject) => {
  const worker = new Worker('worker.mjs', { type: 'module' });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.postMessage(rows);
})`;

/** The exponential function of another engine may differ in the last bit. */
function nearly(value: unknown): unknown {
  if (typeof value === 'number') return expect.closeTo(value, 12);
  if (Array.isArray(value)) return value.map(nearly);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, nearly(own)]));
}

describe.skipIf(CHROMIUM === undefined)('a module in a browser (needs a Chromium on the path)', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  }, 60_000);
  afterAll(() => browser?.close());

  it.each(['classes', 'labels', 'numbers', 'quantiles'] as const)(
    'predicts %s as in Node, in a page and in a worker',
    async (target) => {
      const request = requestOf(ensembleFor('float64', target), '.mjs');
      const text = Array.from(javascript.write(request).files[0].parts, String).join('');
      const here = (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as {
        predictBatch(rows: readonly Row[]): Predicted[];
      };
      const expected = here.predictBatch(ROWS);
      expect(expected).toHaveLength(ROWS.length);
      const page = await browser.newPage();
      const files: Readonly<Record<string, string>> = { 'model.mjs': text, 'worker.mjs': WORKER };
      await page.route(`${SITE}**`, (route) => {
        const body = files[route.request().url().slice(SITE.length)];
        return route.fulfill({ contentType: body ? 'text/javascript' : 'text/html', body: body ?? '' });
      });
      await page.goto(SITE);
      for (const script of [IN_PAGE, IN_WORKER]) {
        const found = await page.evaluate(`(${script})(${JSON.stringify(ROWS)})`);
        expect(found).toEqual(nearly(expected));
      }
      await page.close();
    },
  );
});
