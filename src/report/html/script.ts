/**
 * The script of a page: values under the pointer. Log scales and hidden curves need none, for boxes and
 * style sheets do that. Without it, the page loses nothing else.
 */
export const SCRIPT = `'use strict';
(() => {
  const charts = JSON.parse(document.getElementById('charts').textContent);
  const show = (value) => {
    if (!Number.isFinite(value)) return String(value);
    const size = Math.abs(value);
    if (Number.isInteger(value) && size < 1e15) return value.toLocaleString('en');
    return size !== 0 && (size < 0.001 || size >= 1e6) ? value.toExponential(3) : String(Number(value.toPrecision(4)));
  };
  const nearest = (xs, x) => {
    let low = 0;
    let high = xs.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] <= x) low = middle;
      else high = middle;
    }
    return Math.abs(xs[low] - x) <= Math.abs(xs[high] - x) ? low : high;
  };
  for (const figure of document.querySelectorAll('figure[data-chart]')) {
    const chart = charts[figure.id];
    if (!chart) continue;
    const tip = document.createElement('div');
    tip.className = 'tip';
    tip.hidden = true;
    figure.append(tip);
    const guides = figure.querySelectorAll('.guide');
    const hide = () => {
      tip.hidden = true;
      for (const guide of guides) guide.setAttribute('visibility', 'hidden');
    };
    const line = (text, index) => {
      const row = document.createElement('div');
      if (index !== undefined) row.className = 'k' + index;
      row.textContent = text;
      return row;
    };
    const move = (event) => {
      const svg = event.currentTarget;
      const box = svg.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * chart.width;
      const x = chart.x[0] + ((at - chart.left) / (chart.right - chart.left)) * (chart.x[1] - chart.x[0]);
      const rows = [];
      let place;
      chart.series.forEach((series, index) => {
        const box = figure.querySelector('input.show' + index);
        if ((box && !box.checked) || series.x.length === 0) return;
        const i = nearest(series.x, x);
        if (place === undefined || Math.abs(series.x[i] - x) < Math.abs(place - x)) place = series.x[i];
        const value = series.y[i];
        const more = series.at ? ' (' + series.at[0] + ' ' + show(series.at[1][i]) + ')' : '';
        rows.push([series, i, line(series.name + ' ' + (value === null ? 'NaN' : show(value)) + more, index)]);
      });
      if (place === undefined) return hide();
      const span = Math.abs(chart.x[1] - chart.x[0]) || 1;
      const near = rows.filter(([series, i]) => Math.abs(series.x[i] - place) <= span / 100);
      tip.replaceChildren(line(chart.label + ' ' + show(place)), ...near.map(([, , row]) => row));
      tip.hidden = false;
      const gx = chart.left + ((place - chart.x[0]) / (chart.x[1] - chart.x[0] || 1)) * (chart.right - chart.left);
      for (const guide of guides) {
        guide.setAttribute('x1', gx);
        guide.setAttribute('x2', gx);
        guide.setAttribute('visibility', 'visible');
      }
      const host = figure.getBoundingClientRect();
      const left = box.left - host.left + (gx / chart.width) * box.width;
      const isRight = left > host.width / 2;
      tip.style.left = isRight ? 'auto' : left + 12 + 'px';
      tip.style.right = isRight ? host.width - left + 12 + 'px' : 'auto';
      tip.style.top = box.top - host.top + 14 + 'px';
    };
    for (const svg of figure.querySelectorAll('svg.plot')) {
      svg.addEventListener('pointermove', move);
      svg.addEventListener('pointerdown', move);
      svg.addEventListener('pointerleave', hide);
    }
  }
})();
`;
