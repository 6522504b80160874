/**
 * A model as a PyTorch script: the layers of its spec as modules, whose names are those of the tensors in
 * the model file. It may be trained on: dropout and batch normalisation behave as in training there.
 */
import { isActivation } from '../../network/activation.js';
import { factorOf } from '../../network/linear.js';
import { fusedLoss } from '../../network/loss.js';
import type { ActivationSpec } from '../../spec/layerSpec.js';
import type { NetworkSpec } from '../../spec/networkSpec.js';
import { firstForMembers, type LayerNode, networksOf, viewsOf, walkNetwork } from '../../spec/widths.js';
import type { Exported, ExportRequest, Format } from '../format.js';
import { allSteps, type EmbeddingStep, type Part, paramsOf, type Step } from '../program.js';
import { encodingText, suffixOf } from './encoding.js';
import { lines, python } from './literals.js';
import { computeFile, npzFile, prefixOf } from './npz.js';
import { embeddingHelpers, headOf, predictText } from './script.js';

export const pytorch: Format = {
  endings: ['.py'],
  write(request): Exported {
    const { program, ending } = request;
    const weights = npzFile('pytorch', program, '.npz');
    return {
      files: [
        { ending, parts: scriptOf(request) },
        { ...weights, isNeeded: true },
      ],
      compute: computeFile(program, weights),
      checkedBy: 'the weights of the file with the steps of mlp (the script itself needs Python)',
    };
  },
};

function* scriptOf(request: ExportRequest): Generator<string> {
  const { name } = request;
  const body = [...bodyOf(request)].join('');
  yield headOf(request, `PyTorch, NumPy and ${name}.npz beside this file`, body, ['torch', 'torch.nn']);
  yield body;
}

function* bodyOf(request: ExportRequest): Generator<string> {
  const { program, networks } = request;
  const steps = program.parts.flatMap((part) => [...allSteps(part)]);
  yield '# All weights, by their names in the model file.\nP = dict(np.load(Path(__file__).with_suffix(".npz")))\n\n';
  yield* encodingText(request);
  yield '# The network\n\n\n';
  yield* embeddingHelpers(steps, 'torch');
  const texts = program.parts.map((part, i) => networkText(networks[i], part, suffixOf(program, i)));
  const used = texts.join('');
  for (const [module, text] of Object.entries(MODULES)) {
    if (new RegExp(`\\b${module}\\(`).test(used)) yield `${text}\n\n`;
  }
  yield* texts;
  yield LOAD;
  for (const [i, { dtype }] of program.parts.entries()) {
    const suffix = suffixOf(program, i);
    const prefix = prefixOf(program, i);
    const double = dtype === 'float64' ? '.double()' : '';
    yield `network${suffix} = load(Network${suffix}()${double}${prefix ? `, ${python(prefix)}` : ''})\n\n\n`;
    yield `def forward${suffix}(x):\n    """The outputs of the network as an array, of inputs x [rows, inputs]."""\n    with torch.no_grad():\n`;
    yield `        return network${suffix}(torch.from_numpy(x)).numpy()\n\n\n`;
  }
  yield* predictText(request, true);
}

const LOAD = `def load(network, prefix=""):
    """Loads the weights. Those of a linear layer are [inputs, units] in the file, and transposed in PyTorch."""
    state = {name[len(prefix):]: torch.from_numpy(array) for name, array in P.items() if name.startswith(prefix)}
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear):
            state[f"{name}.weight"] = state[f"{name}.weight"].T
    missing, unexpected = network.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"missing {missing}, unexpected {unexpected}")
    return network.eval()


`;

/** The classes of a network: its layers, and its members if there are several. */
function networkText(spec: NetworkSpec, part: Part, suffix: string): string {
  const layers = fusedLoss(spec.layers) === undefined ? spec.layers : spec.layers.slice(0, -1);
  const nodes = walkNetwork({ ...spec, layers }, part.inputs);
  // In the order of the layers, but for each member.
  const embeddings = [...allSteps(part)].filter((step): step is EmbeddingStep => 'columns' in step).values();
  const modules = nodes.map((node) => moduleOf(node, embeddings));
  const members = networksOf(spec);
  const views = viewsOf(spec);
  const name = members > 1 ? `Layers${suffix}` : `Network${suffix}`;
  const init = `class ${name}(nn.Module):
    def __init__(self):
        super().__init__()
        ${lines('self.layers = nn.Sequential(', modules, '        )', '            ')}
`;
  const first = firstForMembers(layers);
  const ownForward =
    views > 1
      ? `    def forward(self, x):
        """The outputs [members, rows, units] of the members, which share weights."""
        for i, layer in enumerate(self.layers):
            if i == ${first}:
                x = x.unsqueeze(-2).expand(*x.shape[:-1], ${views}, x.shape[-1])
            x = layer(x)
        return x.movedim(-2, 0)
`
      : `    def forward(self, x):
        return self.layers(x)
`;
  const own = `${init}${ownForward}

`;
  if (members === 1) return own;
  return `${own}class Network${suffix}(nn.Module):
    def __init__(self):
        super().__init__()
        self.members = nn.ModuleList([${name}() for _ in range(${members})])

    def forward(self, x):
        """The outputs [members, rows, units] of the members."""
        return torch.${views > 1 ? 'cat' : 'stack'}([member(x) for member in self.members])


`;
}

function moduleOf(node: LayerNode, embeddings: Iterator<EmbeddingStep>): string {
  const { spec, inputs, inner, place } = node;
  if (isActivation(spec)) {
    const module = activationModule(spec);
    return spec.parametric ? `Parametric(${module}, ${inputs})` : module;
  }
  switch (spec.type) {
    case 'linear': {
      const { units, bias, parametrization } = spec;
      const factor = factorOf(parametrization, inputs);
      const own = `${inputs}, ${units}${bias ? '' : ', bias=False'}`;
      const scaled = factor === 1 ? '' : `, factor=${python(factor)}`;
      if (place)
        return `${place.isHead ? 'MemberLinear' : 'SharedLinear'}(${place.members}, ${own}${scaled})`;
      return factor === 1 ? `nn.Linear(${own})` : `ScaledLinear(${own}${scaled})`;
    }
    case 'dropout':
      return `nn.Dropout(${python(spec.rate)})`;
    case 'batch-norm':
      return `nn.BatchNorm1d(${inputs}, eps=${python(spec.epsilon)}, momentum=${python(spec.momentum)})`;
    case 'layer-norm':
      return `nn.LayerNorm(${inputs}, eps=${python(spec.epsilon)})`;
    case 'scale':
      return `Scale(${inputs})`;
    case 'residual':
      return `Residual(${inner.map((layer) => moduleOf(layer, embeddings)).join(', ')})`;
    case 'embedding':
    case 'numeric-embedding':
      return embeddingModule(embeddings.next().value);
    case 'softmax':
      throw new TypeError('a softmax is computed by the output');
  }
}

function activationModule({ type, parametric: _, ...parameters }: ActivationSpec): string {
  const [parameter = 0] = Object.values<number>(parameters);
  const modules = {
    identity: 'nn.Identity()',
    relu: 'nn.ReLU()',
    'leaky-relu': `nn.LeakyReLU(${python(parameter)})`,
    tanh: 'nn.Tanh()',
    sigmoid: 'nn.Sigmoid()',
    gelu: 'nn.GELU()',
    silu: 'nn.SiLU()',
    elu: `nn.ELU(${python(parameter)})`,
    softplus: 'nn.Softplus(threshold=50)',
    selu: 'nn.SELU()',
    mish: 'nn.Mish()',
  } as const;
  return modules[type];
}

function embeddingModule(step: EmbeddingStep): string {
  const shapes = paramsOf(step as Step).map(([role, { rows, columns }]) => {
    // The model file keeps edges as one row.
    const shape = role === 'edges' ? `(${rows * columns},)` : `(${rows}, ${columns})`;
    return `${python(role)}: ${shape}`;
  });
  const options = [
    `columns=${python([...step.columns])}`,
    `others=${python([...step.others])}`,
    ...(step.op === 'embedding' ? [`levels=${python([...step.levels])}`] : []),
    ...(step.op === 'periodic' ? [`relu=${python(step.relu)}`] : []),
  ];
  return `Embedding(${step.op.replaceAll('-', '_')}, {${shapes.join(', ')}}, ${options.join(', ')})`;
}

/** Modules that PyTorch does not have, by their names. */
const MODULES = {
  Residual: `class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.layers(x)
`,
  Scale: `class Scale(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return self.scale * x
`,
  Parametric: `class Parametric(nn.Module):
    """(1 - a)·x + a·f(x) with a learnt slope a of each column."""

    def __init__(self, activation, width):
        super().__init__()
        self.activation = activation
        self.slope = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return (1 - self.slope) * x + self.slope * self.activation(x)
`,
  ScaledLinear: `class ScaledLinear(nn.Linear):
    """factor·x·W + b"""

    def __init__(self, inputs, units, bias=True, factor=1.0):
        super().__init__(inputs, units, bias)
        self.factor = factor

    def forward(self, x):
        h = self.factor * (x @ self.weight.T)
        return h if self.bias is None else h + self.bias
`,
  SharedLinear: `class SharedLinear(nn.Module):
    """((x * r)·W) * s + b with r, s and b of each member: x [rows, members, inputs], W [inputs, units]."""

    def __init__(self, members, inputs, units, bias=True, factor=1.0):
        super().__init__()
        self.factor = factor
        self.weight = nn.Parameter(torch.zeros(inputs, units))
        self.input_scale = nn.Parameter(torch.ones(members, inputs))
        self.output_scale = nn.Parameter(torch.ones(members, units))
        self.bias = nn.Parameter(torch.zeros(members, units)) if bias else None

    def forward(self, x):
        h = self.factor * ((x * self.input_scale) @ self.weight) * self.output_scale
        return h if self.bias is None else h + self.bias
`,
  MemberLinear: `class MemberLinear(nn.Module):
    """A linear layer for each member: x [rows, members, inputs], W [members * inputs, units]."""

    def __init__(self, members, inputs, units, bias=True, factor=1.0):
        super().__init__()
        self.factor = factor
        self.weight = nn.Parameter(torch.zeros(members * inputs, units))
        self.bias = nn.Parameter(torch.zeros(members, units)) if bias else None

    def forward(self, x):
        weight = self.weight.reshape(x.shape[-2], x.shape[-1], -1)
        h = self.factor * torch.einsum("...mi,mio->...mo", x, weight)
        return h if self.bias is None else h + self.bias
`,
  Embedding: `class Embedding(nn.Module):
    """Calls one of the functions above with parameters of these shapes."""

    def __init__(self, function, shapes, **options):
        super().__init__()
        self.function = function
        self.options = options
        for name, shape in shapes.items():
            if name == "edges":
                self.register_buffer(name, torch.zeros(shape))
            else:
                self.register_parameter(name, nn.Parameter(torch.zeros(shape)))

    def forward(self, x):
        own = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        return self.function(x, **self.options, **own)
`,
} as const;
