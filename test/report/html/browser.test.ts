/** Pages in a real browser: nothing is requested, nothing is logged, and what should react does. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphReport } from '../../../src/cli/gradcheckReport.js';
import { residualReluGraph } from '../../../src/gradcheck/builtin.js';
import { checkGraph } from '../../../src/gradcheck/check.js';
import { foldsPage } from '../../../src/report/html/foldsPage.js';
import { runPage } from '../../../src/report/html/runPage.js';
import { runsPage } from '../../../src/report/html/runsPage.js';
import { studyPage } from '../../../src/report/html/studyPage.js';
import { CHROMIUM, launchChromium, NO_CHROMIUM } from '../../support/browser.js';
import { folderOf } from '../../support/cli.js';
import { foldsOf, fullRun, HOSTILE, runsOf, studyOf, trialOf } from './results.js';

it.runIf(process.env.MLP_REQUIRE_CHROMIUM)('there is a Chromium, as MLP_REQUIRE_CHROMIUM demands', () => {
  expect(CHROMIUM, NO_CHROMIUM).toBeDefined();
});

const trials = Array.from({ length: 30 }, (_, i) => trialOf(i));
const importance = [{ parameter: 'seed', share: 0.7 }];
const PAGES: Readonly<Record<string, (name: string) => string>> = {
  run: (name) => runPage(fullRun(name), 'mlp'),
  runs: (name) => runsPage(runsOf(3, name), 'mlp'),
  study: (name) => studyPage({ ...studyOf(trials), name, importance, best: 29 }, 'mlp'),
  folds: (name) => foldsPage({ ...foldsOf(3), name }, 'mlp'),
  graph: (name) => {
    const graph = residualReluGraph();
    const { check, derivation } = checkGraph(graph, name);
    return graphReport(graph, check, derivation);
  },
};

describe.skipIf(CHROMIUM === undefined)('a page in a browser (needs a Chromium on the path)', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  }, 60_000);
  afterAll(() => browser?.close());

  const tabs = new Map<string, Page>();

  /** A tab for these options: making one takes longer than many a page. */
  async function tabOf(options: Parameters<Browser['newPage']>[0]): Promise<Page> {
    const key = JSON.stringify(options);
    const tab =
      tabs.get(key) ?? (await browser.newPage({ viewport: { width: 1200, height: 900 }, ...options }));
    tabs.set(key, tab);
    for (const event of ['console', 'pageerror', 'dialog', 'request'])
      tab.removeAllListeners(event as 'request');
    return tab;
  }

  /** Opens a page from disk. `complaints` are requests, messages of the console, errors and dialogs. */
  async function open(text: string, options: Parameters<Browser['newPage']>[0] = {}) {
    const path = join(folderOf({}), 'page.html');
    writeFileSync(path, text);
    const page = await tabOf(options);
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => {
      complaints.push(dialog.message());
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      const url = request.url();
      if (url !== pathToFileURL(path).href && !url.startsWith('data:')) complaints.push(url);
    });
    await page.goto(pathToFileURL(path).href);
    return { page, complaints };
  }

  const chartOf = (page: Page, title: string) =>
    page.locator('figure[data-chart]', { has: page.locator(`figcaption:text-is("${title}")`) });

  it.each(Object.entries(PAGES))(
    'opens that of %s from disk without a request or a complaint',
    async (_, pageOf) => {
      for (const name of ['thing', HOSTILE.join(' ')]) {
        const { page, complaints } = await open(pageOf(name));
        expect(await page.locator('section').count()).toBeGreaterThan(1);
        expect(complaints).toEqual([]);
      }
    },
  );

  it.each(Object.entries(PAGES))('fits that of %s into a telephone', async (_, pageOf) => {
    const { page } = await open(
      pageOf('a_name_that_has_no_spaces_and_is_longer_than_the_screen_of_a_telephone'),
      {
        viewport: { width: 360, height: 700 },
      },
    );
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
  });

  it('shows the values under the pointer', async () => {
    const { page, complaints } = await open(PAGES.run('thing'));
    const chart = chartOf(page, 'Loss');
    const plot = chart.locator('svg.plot:visible');
    const box = await plot.boundingBox();
    if (!box) throw new Error('no chart');
    await page.mouse.move(box.x + box.width * 0.54, box.y + box.height / 2);
    const tip = chart.locator('.tip');
    expect(await tip.innerText()).toBe('epoch 2\ntraining 2\nvalidation 1');
    expect(await plot.locator('.guide').getAttribute('visibility')).toBe('visible');
    await page.mouse.move(box.x - 5, box.y - 5);
    expect(await tip.isVisible()).toBe(false);
    expect(complaints).toEqual([]);
  });

  it.each([true, false])(
    'switches to a logarithmic scale and hides curves (scripts: %s)',
    async (javaScriptEnabled) => {
      const { page } = await open(PAGES.run('thing'), { javaScriptEnabled });
      const chart = chartOf(page, 'Loss');
      expect(await chart.locator('svg.linear').isVisible()).toBe(true);
      expect(await chart.locator('svg.logarithmic').isVisible()).toBe(false);
      await chart.locator('label', { hasText: 'log scale' }).click();
      expect(await chart.locator('svg.linear').isVisible()).toBe(false);
      const curve = chart.locator('svg.logarithmic g.s1');
      expect(await curve.isVisible()).toBe(true);
      await chart.locator('label', { hasText: 'validation' }).click();
      expect(await curve.isVisible()).toBe(false);
    },
  );

  it('is light or dark as the reader wishes', async () => {
    const colours: unknown[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await open(PAGES.run('thing'), { colorScheme });
      colours.push(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
    }
    expect(colours).toEqual(['rgb(245, 247, 249)', 'rgb(17, 22, 27)']);
  });

  it('draws its pictures', async () => {
    const { page } = await open(PAGES.run('thing'));
    const widths = await page
      .locator('img')
      .evaluateAll((images) =>
        images.map((image) => (image as unknown as { naturalWidth: number }).naturalWidth),
      );
    expect(widths).toEqual([2, 2]);
  });
});
