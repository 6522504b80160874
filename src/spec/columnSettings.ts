/** Questions to the keys of `data` that are objects by the name of a column or class, which may be any text. */
import type { ByColumn, ColumnRef, WeightColumn, Weights } from './train.js';

/** The setting of `column`; `others` where the settings are by column and it is not named. */
export function settingOf<Setting extends string | boolean>(
  settings: ByColumn<Setting>,
  column: string,
  others: Setting,
): Setting {
  if (typeof settings !== 'object') return settings;
  return Object.hasOwn(settings, column) ? settings[column] : others;
}

/** The columns that have a setting of their own; none where one setting is for all. */
export function columnsWithSetting(settings: ByColumn<string | boolean>): string[] {
  return typeof settings === 'object' ? Object.keys(settings) : [];
}

/** The column that holds the weights; undefined where they are "balanced" or go by class. */
export function weightColumn(weights: Weights): ColumnRef | undefined {
  return isWeightColumn(weights) ? weights.column : undefined;
}

/** Whether the weights are a column: an object whose only key is `column`. Else they are "balanced" or go by class. */
function isWeightColumn(weights: Weights): weights is WeightColumn {
  return typeof weights === 'object' && Object.keys(weights).length === 1 && Object.hasOwn(weights, 'column');
}
