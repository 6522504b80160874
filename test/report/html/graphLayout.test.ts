import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Layout, layOut } from '../../../src/report/html/graphLayout.js';

describe('layOut', () => {
  const HEIGHT = 40;
  const edge = fc.record({ from: fc.nat(), to: fc.nat(), width: fc.integer({ min: 10, max: 120 }) });
  const graphs = fc
    .record({
      widths: fc.array(fc.integer({ min: 40, max: 200 }), { minLength: 1, maxLength: 14 }),
      edges: fc.array(edge, { maxLength: 25 }),
    })
    .map(({ widths, edges }) => ({
      nodes: widths.map((width) => ({ width, height: HEIGHT })),
      edges: edges.flatMap(({ from, to, width }) => {
        const end = to % widths.length;
        return end === 0 ? [] : [{ from: from % end, to: end, width }];
      }),
    }));

  it('lets no nodes and labels overlap, and leads every line down within the picture', () => {
    fc.assert(
      fc.property(graphs, ({ nodes, edges }) => {
        const layout = layOut(nodes, edges);
        const boxes = [
          ...layout.nodes.map(({ x, y }, i) => ({ x, y, width: nodes[i].width, height: HEIGHT })),
          ...layout.edges.map(({ label: { x, y } }, e) => ({ x, y, width: edges[e].width, height: 18 })),
        ];
        boxes.forEach((a, i) => {
          expect(a.x - a.width / 2).toBeGreaterThanOrEqual(0);
          expect(a.x + a.width / 2).toBeLessThanOrEqual(layout.width);
          expect(a.y + a.height / 2).toBeLessThanOrEqual(layout.height);
          for (const b of boxes.slice(i + 1)) {
            const isApart =
              Math.abs(a.x - b.x) >= (a.width + b.width) / 2 - 1e-6 ||
              Math.abs(a.y - b.y) >= (a.height + b.height) / 2;
            expect(isApart, JSON.stringify([a, b])).toBe(true);
          }
        });
        for (const { line } of layout.edges) {
          line.slice(1).forEach(({ y }, i) => {
            expect(y).toBeGreaterThanOrEqual(line[i].y);
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('draws the residual graph without a crossing, its long line straight', () => {
    const size = { width: 100, height: HEIGHT };
    const pairs = [
      [0, 5],
      [1, 5],
      [5, 6],
      [2, 6],
      [6, 7],
      [7, 8],
      [3, 8],
      [8, 9],
      [4, 9],
      [9, 10],
      [0, 10],
      [10, 11],
    ];
    const edges = pairs.map(([from, to]) => ({ from, to, width: 50 }));
    const layout = layOut(Array(12).fill(size), edges);
    expect(crossings(layout)).toBe(0);
    const inside = layout.edges[10].line.slice(1, -1).map(({ x }) => x);
    expect(inside.length).toBeGreaterThan(10);
    for (const x of inside) expect(x).toBeCloseTo(inside[0], 6);
  });

  it('finds the two ranks that must change together', () => {
    const size = { width: 60, height: HEIGHT };
    // Two inputs of one node, the first of which another node uses as well: only one order has no crossing.
    const edges = [
      [0, 2],
      [1, 2],
      [0, 3],
      [2, 4],
      [3, 4],
    ].map(([from, to]) => ({ from, to, width: 20 }));
    expect(crossings(layOut(Array(5).fill(size), edges))).toBe(0);
  });
});

/** Pairs of lines whose order differs at the two ends of a gap that both cross. */
function crossings({ edges }: Layout): number {
  const pieces = edges.flatMap(({ line }) => line.slice(1).map((end, i) => ({ start: line[i], end })));
  let count = 0;
  pieces.forEach((a, i) => {
    for (const b of pieces.slice(i + 1)) {
      const isSameGap = a.start.y < b.end.y && b.start.y < a.end.y;
      if (isSameGap && (a.start.x - b.start.x) * (a.end.x - b.end.x) < -1e-9) count++;
    }
  });
  return count;
}
