/** A model whose first layer takes numbers of levels as one with one-hot columns: the same weights. */
import { isNumbered, matrixWidth } from '../data/encoding/encoding.js';
import type { Ensemble } from '../model/ensemble.js';
import type { Model } from '../model/load.js';

export function denseModel(model: Model): Model {
  const [first, ...others] = model.network.layers;
  if (first?.type !== 'linear' || first.columns === undefined) return model;
  const { columns: _, levels: __, marks: ___, apart: ____, ...dense } = first;
  const features = model.features.map((encoding) => {
    if (encoding.kind !== 'category' || !isNumbered(encoding)) return encoding;
    const { numbered: _, scaled, ...oneHot } = encoding;
    if (!scaled) return oneHot;
    const transforms = encoding.levels.map(() => scaled.transform);
    for (const { level, transform } of scaled.apart) transforms[level] = transform;
    return { ...oneHot, transforms };
  });
  const network = { ...model.network, input: matrixWidth(features), layers: [dense, ...others] };
  return { ...model, features, network };
}

/** The same for each member of an ensemble. */
export function denseForm<Any extends Model | Ensemble>(model: Any): Any {
  if (!('members' in model)) return denseModel(model) as Any;
  const members = model.members.map((member) => ({ ...member, model: denseModel(member.model) }));
  return { ...model, members };
}
