/** What a config asks of the features of a table, and what becomes of those that are numbers. */
import type { DataConfig } from '../../spec/dataConfig.js';
import { dateSettingOf, settingOf } from '../../spec/dataConfig.js';
import type { FeatureRequest, NumericEncoding } from '../encoding/encoding.js';
import type { NumericFit } from '../numeric/fit.js';
import type { Scaling } from '../scaling.js';

import type { Input } from './rowReaders.js';

export const NEVER = Number.POSITIVE_INFINITY;

export function featureRequests({ table, choice }: Input, data: DataConfig): FeatureRequest[] {
  const categories = new Set(choice.categories);
  return choice.features.map((index) => {
    const name = table.names[index];
    const standardize = settingOf(data.standardize, name, true);
    const scaling: Scaling =
      typeof standardize === 'string' ? standardize : standardize ? 'standard' : 'none';
    const category = categories.has(index);
    const dates = dateSettingOf(data, name);
    const missing = settingOf(data.missing, name, 'error');
    const { embedFrom = NEVER, embedNumbersFrom = NEVER } = data;
    const leastEmbedded = settingOf(embedFrom, name, NEVER);
    const leastShared = settingOf(embedNumbersFrom, name, NEVER);
    return { index, scaling, missing, category, leastEmbedded, leastShared, ...(dates && { dates }) };
  });
}

/**
 * Whether the config asks only for numbers, and missing cells are filled with the mean or the
 * median, which the scaling needs: the numeric path keeps no cell to fit on.
 */
export function isNumericRequest(input: Input, data: DataConfig): boolean {
  return input.choice.categories.length === 0 && featureRequests(input, data).every(hasNumericFill);
}

function hasNumericFill(request: FeatureRequest): boolean {
  const { missing, scaling, dates } = request;
  if (dates) return false;
  return (
    missing === 'error' ||
    missing === 'drop-row' ||
    (fillsCentre(request) && (scaling === 'standard' || scaling === 'robust'))
  );
}

function fillsCentre({ missing }: FeatureRequest): boolean {
  return missing === 'mean' || missing === 'indicator';
}

/** The encodings of numeric features. */
export function numericEncodings(
  { table, choice: { features } }: Input,
  requests: readonly FeatureRequest[],
  fitted: readonly NumericFit[],
): NumericEncoding[] {
  return fitted.map(({ mean, range, ...transform }, j) => ({
    kind: 'numeric',
    column: table.names[features[j]],
    ...transform,
    // The shift is the mean, or the median that an indicator goes with.
    ...(fillsCentre(requests[j]) && {
      fill: requests[j].missing === 'mean' ? (mean ?? transform.shift) : transform.shift,
    }),
    range,
  }));
}
