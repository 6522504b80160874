import { describe, expect, it } from 'vitest';
import residualRelu from '../../configs/gradcheck/residual-relu.json' with { type: 'json' };
import { graphReport } from '../../src/cli/gradcheckReport.js';
import { checkGraph } from '../../src/gradcheck/check.js';
import { readGraph } from '../../src/gradcheck/graphFile.js';

function pageOf(json: unknown, name = 'graph.json'): string {
  const graph = readGraph(json, name);
  const { check, derivation } = checkGraph(graph, name);
  return graphReport(graph, check, derivation);
}

const textsOf = (page: string) => [...page.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);

describe('graphReport', () => {
  it('draws every node with value and derivative, and every edge with its local derivative', () => {
    const texts = textsOf(pageOf(residualRelu));
    for (const text of [
      'x1 = relu(xwb0) = 0.4',
      '∂z/∂x1 = -0.2',
      'w1 = -0.2',
      '∂z/∂w1 = 0.4',
      'by hand 0.4: right',
    ]) {
      expect(texts).toContain(text);
    }
    // ∂xw1/∂x1 = w1 and ∂xw1/∂w1 = x1
    expect(texts).toContain('x1 = 0.4');
    expect(texts.filter((text) => text === 'w1 = -0.2')).toHaveLength(2);
    // Of twelve local derivatives, eight are 1, and ∂xw0/∂w0 is x0 = 1.
    expect(texts.filter((text) => text === '1')).toHaveLength(8);
  });

  it('marks values by hand that are wrong, in the picture, in the table and in a sentence', () => {
    const page = pageOf({ ...residualRelu, manual: { ...residualRelu.manual, w1: '3/10' } });
    expect(page).toContain('<text class="middle wrong"');
    expect(textsOf(page)).toContain('by hand 3/10 = 0.3: wrong');
    expect(page.match(/<rect class="box \w+ wrong"/g)).toHaveLength(1);
    expect(page).toContain('<b class="wrong">1 of 5 derivatives is wrong:</b> ∂z/∂w1.');
    expect(page).toContain('∂z/∂w1: manual 3/10 = 0.3, expected 0.4');
    expect(pageOf(residualRelu)).toContain('All 4 values by hand are right.');
    expect(pageOf({ ...residualRelu, manual: {} })).toContain(
      'Backpropagation and differences agree on 5 derivatives.',
    );
  });

  it('leaves numbers of an expression out, and says that a kink is one', () => {
    const page = pageOf({ inputs: { x: 0 }, nodes: { y: '2 * abs(x)' }, output: 'y' });
    expect(textsOf(page)).toEqual([
      '0',
      '2',
      'x = 0',
      '∂y/∂x = 0, a kink',
      'abs(x) = 0',
      '∂y/∂abs(x) = 2',
      'y = 2 * abs(x) = 0',
      '∂y/∂y = 1',
    ]);
  });

  it('escapes the name of the file, and asks for nothing outside of the page', () => {
    const page = pageOf(residualRelu, '</title><script>alert(1)</script>');
    expect(page).not.toContain('<script>alert');
    expect(page).not.toMatch(/https?:|<link|src=/);
  });

  it('does not draw what is too large to be read', () => {
    const nodes = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`n${i + 1}`, `n${i} + 1`]));
    expect(pageOf({ inputs: { n0: 1 }, nodes, output: 'n100' })).toContain(
      'The graph of 101 nodes is too large to be drawn.',
    );
  });
});
