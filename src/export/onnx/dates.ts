/** Parts of dates by arithmetic: no operator of opset 17 reads text. */
import type { DateInput } from '../program.js';
import type { Graph } from './graph.js';

/**
 * The parts of a date from its days since 1970, in double, by the algorithm `civil_from_days` of Howard
 * Hinnant (chrono-Compatible Low-Level Date Algorithms, 2013): years begin in March, and 400 of them, an
 * era, have 146,097 days.
 */
export function dateParts(graph: Graph, days: string): Record<DateInput['part'], () => string> {
  const number = (value: number) => graph.numbers('number', 'double', [value]);
  const operate = (op: string) => (a: string, b: string | number) =>
    graph.node(op, [a, typeof b === 'number' ? number(b) : b]);
  const [add, subtract, times, over] = ['Add', 'Sub', 'Mul', 'Div'].map(operate);
  const floor = (a: string) => graph.node('Floor', [a]);
  const whole = (a: string, b: number) => floor(over(a, b));
  const once = (make: () => string) => {
    let made: string | undefined;
    return () => {
      made ??= make();
      return made;
    };
  };
  const midnight = once(() => floor(days));
  const shifted = once(() => add(midnight(), 719_468));
  const era = once(() => whole(shifted(), 146_097));
  const dayOfEra = once(() => subtract(shifted(), times(era(), 146_097)));
  const yearOfEra = once(() => {
    const withoutLeaps = subtract(
      add(subtract(dayOfEra(), whole(dayOfEra(), 1460)), whole(dayOfEra(), 36_524)),
      whole(dayOfEra(), 146_096),
    );
    return whole(withoutLeaps, 365);
  });
  const dayOfYear = once(() => {
    const leaps = subtract(whole(yearOfEra(), 4), whole(yearOfEra(), 100));
    return subtract(dayOfEra(), add(times(yearOfEra(), 365), leaps));
  });
  // From 0 for March.
  const monthFromMarch = once(() => whole(add(times(dayOfYear(), 5), 2), 153));
  const isNextYear = once(() =>
    graph.cast(graph.node('GreaterOrEqual', [monthFromMarch(), number(10)]), 'double'),
  );
  return {
    year: once(() => add(add(yearOfEra(), times(era(), 400)), isNextYear())),
    month: once(() => subtract(add(monthFromMarch(), 3), times(isNextYear(), 12))),
    day: once(() => add(subtract(dayOfYear(), whole(add(times(monthFromMarch(), 153), 2), 5)), 1)),
    weekday: once(() => {
      // 1970-01-01 was a Thursday.
      const since = add(midnight(), 4);
      return subtract(since, times(whole(since, 7), 7));
    }),
    hour: once(() => times(subtract(days, midnight()), 24)),
    elapsed: () => days,
  };
}
