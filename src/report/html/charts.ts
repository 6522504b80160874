/** The charts of a page: each gets an id, and the page their data. */
import { type LineChart, lineChart } from './lineChart.js';
import type { Markup } from './markup.js';

export class Charts {
  readonly data: Record<string, unknown> = {};
  #count = 0;

  /** Undefined if there is nothing to draw. */
  line(chart: LineChart): Markup | undefined {
    const id = `chart-${++this.#count}`;
    const drawn = lineChart(id, chart);
    if (!drawn) return undefined;
    this.data[id] = drawn.data;
    return drawn.markup;
  }
}
