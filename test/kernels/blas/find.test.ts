import { describe, expect, it } from 'vitest';

import { blasPlaces, type Machine, sitePackages } from '../../../src/kernels/blas/find.js';

/** A machine on which exactly these files are. */
function machine(files: string[], parts: Partial<Machine> = {}): Machine {
  const platform = parts.platform ?? 'linux';
  const separator = platform === 'win32' ? '\\' : '/';
  return {
    platform,
    arch: 'x64',
    env: {},
    home: '/home/ada',
    list: (folder) => {
      const start = folder.endsWith(separator) ? folder : folder + separator;
      const names = files.filter((file) => file.startsWith(start)).map((file) => file.slice(start.length));
      return [...new Set(names.map((name) => name.split(separator)[0]))];
    },
    ...parts,
  };
}

const sources = (described: Machine) => [...blasPlaces(described)].map((place) => place.source);
const libraries = (described: Machine, source: string) =>
  [...blasPlaces(described)].filter((place) => place.source === source).flatMap((place) => place.libraries);

describe('blasPlaces', () => {
  it('looks at MLP_BLAS alone where it is set', () => {
    const described = machine(['/usr/lib64/libopenblas.so.0'], { env: { MLP_BLAS: './mine.so' } });
    expect([...blasPlaces(described)]).toEqual([
      { source: 'MLP_BLAS', name: 'MLP_BLAS', libraries: ['./mine.so'] },
    ]);
  });

  it('takes an empty MLP_BLAS for none', () => {
    expect(sources(machine([], { env: { MLP_BLAS: '' } }))).not.toContain('MLP_BLAS');
  });

  it('takes Accelerate first on macOS, and nowhere else', () => {
    expect(sources(machine([], { platform: 'darwin' }))).toEqual(['Accelerate', 'system', 'NumPy']);
    expect(sources(machine([]))).not.toContain('Accelerate');
  });

  it('asks the loader of Linux for OpenBLAS before MKL before BLIS', () => {
    const [loader] = blasPlaces(machine([]));
    const positions = ['openblas', 'mkl', 'blis'].map((maker) =>
      loader.libraries.findIndex((name) => name.includes(maker)),
    );
    expect(positions[0]).toBe(0);
    expect(positions).toEqual([...positions].sort((x, y) => x - y));
    expect(loader.libraries.every((name) => !name.includes('/'))).toBe(true);
  });

  it('never offers the reference library of netlib', () => {
    const described = machine(['/usr/lib64/libblas.so.3', '/usr/local/lib/libcblas.so.3']);
    expect(libraries(described, 'system').filter((name) => /lib(c?blas)\./.test(name))).toEqual([]);
  });

  it('finds libraries in the folders that no loader looks at', () => {
    const debian = '/usr/lib/aarch64-linux-gnu/openblas-pthread/libopenblas.so.0';
    expect(libraries(machine([debian], { arch: 'arm64' }), 'system')).toContain(debian);
    const homebrew = '/opt/homebrew/opt/openblas/lib/libopenblas.dylib';
    expect(libraries(machine([homebrew], { platform: 'darwin' }), 'system')).toEqual([homebrew]);
    const conda = '/opt/conda/lib/libmkl_rt.so.2';
    expect(libraries(machine([conda], { env: { CONDA_PREFIX: '/opt/conda' } }), 'system')).toContain(conda);
  });

  it('goes through the folders of PATH on Windows', () => {
    const file = 'C:\\OpenBLAS\\bin\\libopenblas.dll';
    const env = { PATH: 'C:\\Windows;C:\\OpenBLAS\\bin' };
    expect(libraries(machine([file], { platform: 'win32', env }), 'system')).toEqual([file]);
  });

  it('takes no library from a relative folder of PATH', () => {
    const described = machine(['bin\\libopenblas.dll'], { platform: 'win32', env: { PATH: 'bin;.' } });
    expect(libraries(described, 'system')).toEqual([]);
  });

  it('ends with the OpenBLAS inside a NumPy wheel', () => {
    const wheel = '/venv/lib/python3.12/site-packages/numpy.libs/libscipy_openblas64_-1a2b3c4d.so';
    const described = machine([wheel, wheel.replace('scipy_openblas64_', 'gfortran')], {
      env: { VIRTUAL_ENV: '/venv' },
    });
    expect(sources(described).at(-1)).toBe('NumPy');
    expect(libraries(described, 'NumPy')).toEqual([wheel]);
  });

  it("knows the wheel's folders of macOS and Windows", () => {
    const mac =
      '/Users/ada/Library/Python/3.11/lib/python/site-packages/numpy/.dylibs/libscipy_openblas64_.dylib';
    expect(libraries(machine([mac], { platform: 'darwin', home: '/Users/ada' }), 'NumPy')).toEqual([mac]);
    const windows = 'C:\\Py\\Lib\\site-packages\\numpy.libs\\libscipy_openblas64_-1a2b.dll';
    const described = machine([windows, 'C:\\Py\\python.exe'], {
      platform: 'win32',
      env: { PATH: 'C:\\Py' },
    });
    expect(libraries(described, 'NumPy')).toEqual([windows]);
  });
});

describe('sitePackages', () => {
  const inside = (prefix: string, version: string) => `${prefix}/lib/${version}/site-packages`;

  it('puts the active environment before the Pythons on PATH, and pyenv last', () => {
    const files = [
      `${inside('/home/ada/.pyenv/versions/3.13.0', 'python3.13')}/pip`,
      `${inside('/opt/py', 'python3.11')}/pip`,
      '/opt/py/bin/python3',
      `${inside('/venv', 'python3.12')}/pip`,
    ];
    const found = sitePackages(machine(files, { env: { PATH: '/opt/py/bin', VIRTUAL_ENV: '/venv' } }));
    expect(found.filter((folder) => folder.endsWith('/site-packages'))).toEqual([
      inside('/venv', 'python3.12'),
      inside('/opt/py', 'python3.11'),
      inside('/home/ada/.pyenv/versions/3.13.0', 'python3.13'),
    ]);
  });

  it('puts Python 3.12 before 3.9', () => {
    const files = ['python3.9', 'python3.12'].map((version) => `${inside('/venv', version)}/pip`);
    const found = sitePackages(machine(files, { env: { VIRTUAL_ENV: '/venv' } }));
    expect(found.indexOf(inside('/venv', 'python3.12'))).toBeLessThan(
      found.indexOf(inside('/venv', 'python3.9')),
    );
  });

  it('leaves out a folder of PATH without a Python in it', () => {
    const files = [`${inside('/opt/py', 'python3.11')}/pip`, '/opt/py/bin/perl'];
    expect(sitePackages(machine(files, { env: { PATH: '/opt/py/bin' } }))).toEqual([]);
  });
});
