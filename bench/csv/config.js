/** The train config for the CSV of a task: one step of a network of one layer. `data`: more about the data. */
export function configOf({ path, target, exclude = [], outputs = 1 }, data = {}) {
  return {
    network: { layers: [{ type: 'linear', units: outputs }] },
    data: { train: path, target, exclude, ...data },
    training: { steps: 1 },
  };
}
