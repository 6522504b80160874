/**
 * A layered layout of a graph without cycles, from top to bottom (Sugiyama, Tagawa and Toda, 1981): ranks
 * by longest paths, few crossings by barycentres, positions by least squares. A label takes a place in the
 * rank above its edge's end, and an edge takes a place in each rank that it passes. So nothing overlaps.
 */

export interface LaidNode {
  readonly width: number;
  readonly height: number;
}

export interface LaidEdge {
  readonly from: number;
  readonly to: number;
  /** Of its label. */
  readonly width: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** The middle of each node. */
  readonly nodes: readonly Point[];
  /** For each edge its line, from the lower side of one node to the upper side of another, and its label. */
  readonly edges: readonly { readonly line: readonly Point[]; readonly label: Point }[];
}

const LABEL_HEIGHT = 18;
/** Between two ranks, where lines cross over. */
const RANK_GAP = 21;
/** Between neighbours in a rank. */
const GAP = 16;
const LINE_WIDTH = 8;
const MARGIN = 4;
const SWEEPS = 24;
const ROUNDS = 150;
/** Between the ends of two lines on one side of a node. */
const PORT = 16;
/** How much straighter a line between two computed nodes is than one from an input or past other ranks. */
const STRAIGHT = 8;

/** A place in a rank: a node, or where an edge passes. */
interface Slot {
  readonly rank: number;
  readonly width: number;
  readonly isNode: boolean;
  readonly above: Link[];
  readonly below: Link[];
  x: number;
  /** Its place in the rank. */
  order: number;
}

interface Link {
  readonly slot: Slot;
  readonly weight: number;
}

/** @param edges from a node to a later one */
export function layOut(nodes: readonly LaidNode[], edges: readonly LaidEdge[]): Layout {
  const { slots, ofNode, ofEdge } = slotsOf(nodes, edges);
  const ranks = ranksOf(slots, ofNode);
  reduceCrossings(ranks);
  placeSlots(ranks, ofEdge);

  const heights = ranks.map((_, rank): number => (rank % 2 === 1 ? LABEL_HEIGHT : 0));
  ofNode.forEach(({ rank }, i) => {
    heights[rank] = Math.max(heights[rank], nodes[i].height);
  });
  const tops: number[] = [];
  let y = MARGIN;
  for (const height of heights) {
    tops.push(y);
    y += height + RANK_GAP;
  }
  const middle = (rank: number) => tops[rank] + heights[rank] / 2;
  const left = Math.min(...slots.map(({ x, width }) => x - width / 2)) - MARGIN;
  const right = Math.max(...slots.map(({ x, width }) => x + width / 2)) + MARGIN;

  const ends = portsOf(edges, ofNode, ofEdge);
  return {
    width: right - left,
    height: y - RANK_GAP + MARGIN,
    nodes: ofNode.map(({ x, rank }) => ({ x: x - left, y: middle(rank) })),
    edges: edges.map(({ from, to }, e) => {
      const passed = ofEdge[e];
      const [start, end] = [ofNode[from], ofNode[to]];
      const last = passed[passed.length - 1];
      return {
        line: [
          { x: start.x + ends[e].from - left, y: middle(start.rank) + nodes[from].height / 2 },
          ...passed.flatMap(({ x, rank }) => [
            { x: x - left, y: tops[rank] },
            { x: x - left, y: tops[rank] + heights[rank] },
          ]),
          { x: end.x + ends[e].to - left, y: middle(end.rank) - nodes[to].height / 2 },
        ],
        label: { x: last.x - left, y: middle(last.rank) },
      };
    }),
  };
}

/** Even ranks hold nodes, odd ones labels. A node without operands stands just above its first use. */
function slotsOf(nodes: readonly LaidNode[], edges: readonly LaidEdge[]) {
  const levels = nodes.map(() => 0);
  const sorted = edges.toSorted((a, b) => a.to - b.to);
  for (const { from, to } of sorted) levels[to] = Math.max(levels[to], levels[from] + 1);
  const hasOperands = new Set(edges.map(({ to }) => to));
  nodes.forEach((_, i) => {
    const uses = edges.flatMap(({ from, to }) => (from === i ? [levels[to]] : []));
    if (!hasOperands.has(i) && uses.length > 0) levels[i] = Math.min(...uses) - 1;
  });
  const slots: Slot[] = [];
  const add = (rank: number, width: number, isNode: boolean): Slot => {
    const slot = { rank, width, isNode, above: [], below: [], x: 0, order: 0 };
    slots.push(slot);
    return slot;
  };
  const ofNode = nodes.map(({ width }, i) => add(2 * levels[i], width, true));
  const ofEdge = edges.map(({ from, to, width }) => {
    const last = ofNode[to].rank - 1;
    const passed: Slot[] = [];
    for (let rank = ofNode[from].rank + 1; rank <= last; rank++) {
      passed.push(add(rank, rank === last ? width : LINE_WIDTH, false));
    }
    const weight = hasOperands.has(from) && passed.length === 1 ? STRAIGHT : 1;
    [ofNode[from], ...passed].forEach((slot, i) => {
      const next = passed[i] ?? ofNode[to];
      slot.below.push({ slot: next, weight });
      next.above.push({ slot, weight });
    });
    return passed;
  });
  return { slots, ofNode, ofEdge };
}

/** The slots of each rank, at first in the order of a walk from the last nodes up, which a tree keeps. */
function ranksOf(slots: readonly Slot[], ofNode: readonly Slot[]): Slot[][] {
  const ranks: Slot[][] = Array.from({ length: Math.max(...slots.map(({ rank }) => rank)) + 1 }, () => []);
  const seen = new Set<Slot>();
  const open = ofNode.filter(({ below }) => below.length === 0);
  for (let slot = open.pop(); slot; slot = open.pop()) {
    if (seen.has(slot)) continue;
    seen.add(slot);
    ranks[slot.rank].push(slot);
    open.push(...slot.above.map(({ slot: above }) => above).reverse());
  }
  for (const rank of ranks) number(rank);
  return ranks;
}

function number(rank: readonly Slot[]): void {
  rank.forEach((slot, i) => {
    slot.order = i;
  });
}

/**
 * Sorts each rank by the mean place of its neighbours, down and up in turn, and keeps the best. Equal ones
 * change places in every other pair of sweeps: some crossings go away only if two ranks change.
 */
function reduceCrossings(ranks: Slot[][]): void {
  let best = ranks.map((rank) => [...rank]);
  let fewest = crossings(ranks);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    const isDown = sweep % 2 === 0;
    const ties = sweep % 4 < 2 ? 1 : -1;
    const order = isDown ? ranks : ranks.toReversed();
    for (const rank of order) {
      const places = new Map(rank.map((slot) => [slot, barycentre(slot, isDown ? slot.above : slot.below)]));
      rank.sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0) || ties * (a.order - b.order));
      number(rank);
    }
    swapNeighbours(ranks);
    const count = crossings(ranks);
    if (count < fewest) [fewest, best] = [count, ranks.map((rank) => [...rank])];
  }
  best.forEach((rank, i) => {
    ranks[i].splice(0, rank.length, ...rank);
    number(ranks[i]);
  });
}

function barycentre({ order }: Slot, links: readonly Link[]): number {
  return links.length === 0 ? order : links.reduce((sum, { slot }) => sum + slot.order, 0) / links.length;
}

/** Swaps two neighbours as long as that removes a crossing. */
function swapNeighbours(ranks: readonly Slot[][]): void {
  for (let improved = true; improved; ) {
    improved = false;
    for (const rank of ranks) {
      for (let i = 0; i + 1 < rank.length; i++) {
        const [a, b] = [rank[i], rank[i + 1]];
        const gain =
          crossed(a.above, b.above) +
          crossed(a.below, b.below) -
          crossed(b.above, a.above) -
          crossed(b.below, a.below);
        if (gain <= 0) continue;
        [rank[i], rank[i + 1]] = [b, a];
        number(rank);
        improved = true;
      }
    }
  }
}

/** How often lines of a slot cross those of a slot to its right. */
function crossed(left: readonly Link[], right: readonly Link[]): number {
  let count = 0;
  for (const a of left) for (const b of right) if (a.slot.order > b.slot.order) count++;
  return count;
}

function crossings(ranks: readonly Slot[][]): number {
  let count = 0;
  for (const rank of ranks) {
    rank.forEach((a, i) => {
      for (const b of rank.slice(i + 1)) count += crossed(a.below, b.below);
    });
  }
  return count;
}

/** Moves each rank in turn to where its neighbours are, as near as its order and the gaps allow. */
function placeSlots(ranks: readonly Slot[][], ofEdge: readonly Slot[][]): void {
  for (const rank of ranks) {
    let x = 0;
    for (const slot of rank) {
      slot.x = x + slot.width / 2;
      x += slot.width + GAP;
    }
    for (const slot of rank) slot.x -= x / 2;
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const rank of round % 2 === 0 ? ranks : ranks.toReversed()) placeRank(rank);
    for (const passed of ofEdge) if (passed.length > 1) straighten(passed, ranks);
  }
}

/** Makes a line that passes ranks a straight one, if its neighbours leave room for that. */
function straighten(passed: readonly Slot[], ranks: readonly Slot[][]): void {
  let [lowest, highest] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const slot of passed) {
    const left = ranks[slot.rank][slot.order - 1];
    const right = ranks[slot.rank][slot.order + 1];
    if (left) lowest = Math.max(lowest, left.x + distance(left, slot));
    if (right) highest = Math.min(highest, right.x - distance(slot, right));
  }
  if (lowest > highest) return;
  const mean = passed.reduce((sum, { x }) => sum + x, 0) / passed.length;
  for (const slot of passed) slot.x = Math.min(highest, Math.max(lowest, mean));
}

function distance(left: Slot, right: Slot): number {
  return (left.width + right.width) / 2 + GAP;
}

/**
 * Least squares under x_i+1 − x_i ≥ distance: without the distances the x need only not decrease, which
 * pooling adjacent violators solves (Ayer et al. 1955).
 */
function placeRank(rank: readonly Slot[]): void {
  let offset = 0;
  const pools: { sum: number; weight: number; count: number }[] = [];
  const offsets = rank.map((slot, i) => {
    if (i > 0) offset += distance(rank[i - 1], slot);
    return offset;
  });
  rank.forEach((slot, i) => {
    const links = [...slot.above, ...slot.below];
    const weight = links.reduce((sum, link) => sum + link.weight, 0) || 1e-3;
    const wanted = links.length
      ? links.reduce((sum, link) => sum + link.weight * link.slot.x, 0) / weight
      : slot.x;
    pools.push({ sum: weight * (wanted - offsets[i]), weight, count: 1 });
    for (let last = pools.length - 1; last > 0; last--) {
      const [a, b] = [pools[last - 1], pools[last]];
      if (a.sum / a.weight <= b.sum / b.weight) break;
      pools.splice(last - 1, 2, {
        sum: a.sum + b.sum,
        weight: a.weight + b.weight,
        count: a.count + b.count,
      });
    }
  });
  let i = 0;
  for (const { sum, weight, count } of pools) {
    for (const end = i + count; i < end; i++) rank[i].x = sum / weight + offsets[i];
  }
}

/** Where each edge leaves and reaches its nodes: side by side, in the order of what comes next. */
function portsOf(edges: readonly LaidEdge[], ofNode: readonly Slot[], ofEdge: readonly Slot[][]) {
  const ports = edges.map(() => ({ from: 0, to: 0 }));
  ofNode.forEach(({ width }, node) => {
    for (const side of ['from', 'to'] as const) {
      const ends = edges.flatMap((edge, e) => (edge[side] === node ? [e] : []));
      const next = (e: number) => (side === 'from' ? ofEdge[e][0] : ofEdge[e][ofEdge[e].length - 1]).x;
      ends.sort((a, b) => next(a) - next(b));
      const step = Math.min(PORT, (width - PORT) / ends.length);
      ends.forEach((e, i) => {
        ports[e][side] = (i - (ends.length - 1) / 2) * step;
      });
    }
  });
  return ports;
}
