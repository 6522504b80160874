import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import { launchOf, openMpi, shortVersion } from '../../../src/training/mpi/library.js';
import { errorOf } from '../../spec/support.js';

describe('what started a process', () => {
  it.each([
    ['the mpirun of Open MPI', { OMPI_COMM_WORLD_SIZE: '4', PMIX_RANK: '0' }, 'Open MPI', 4],
    ['the mpirun of MPICH', { PMI_RANK: '1', PMI_SIZE: '2' }, 'MPICH', 2],
    ['srun', { SLURM_STEP_NUM_TASKS: '8', SLURM_PROCID: '3', PMIX_RANK: '3' }, undefined, 8],
    ['srun', { SLURM_STEP_NUM_TASKS: '8', SLURM_PROCID: '3', PMI_RANK: '3', PMI_SIZE: '8' }, undefined, 8],
    ['a launcher of PMIx', { PMIX_RANK: '0' }, undefined, undefined],
  ])('is %s, by its environment', (by, env, family, size) => {
    expect(launchOf(env)).toMatchObject({ by, ...(family && { family }), ...(size && { size }) });
  });

  it.each([
    ['nothing', {}],
    ['an mpirun of one process', { OMPI_COMM_WORLD_SIZE: '1' }],
    ['a batch script of Slurm, whose tasks are to come', { SLURM_NTASKS: '8', SLURM_PROCID: '0' }],
    ['what the user wants without MPI', { OMPI_COMM_WORLD_SIZE: '4', MLP_MPI: 'none' }],
  ])('is no reason to join others: %s', (_, env) => {
    expect(launchOf(env)).toBeUndefined();
  });

  it('says which process of a host speaks for it', () => {
    const first = (env: Record<string, string>) => launchOf({ PMI_SIZE: '4', ...env })?.isFirstOfHost;
    expect(first({ MPI_LOCALRANKID: '0' })).toBe(true);
    expect(first({ MPI_LOCALRANKID: '1' })).toBe(false);
  });
});

describe('the library of a launcher', () => {
  it('is an error where it is missing or no library, which says what to set', () => {
    const launch = {
      family: 'Open MPI',
      size: 2,
      by: 'the mpirun of Open MPI',
      isFirstOfHost: true,
    } as const;
    const { exitCode, message, hint } = errorOf(() => openMpi(launch, { MLP_MPI: '/nowhere/libmpi.so' }));
    expect(exitCode).toBe(ExitCode.unavailable);
    expect(message).toMatch(/^MLP_MPI: \/nowhere\/libmpi\.so: /);
    expect(hint).toContain('MLP_MPI=none');
  });

  it.each([
    [
      'Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4, May 26, 2022',
      'Open MPI 4.1.4',
    ],
    ['MPICH Version:      5.0.2\nMPICH Release date: Thu', 'MPICH 5.0.2'],
    ['Intel(R) MPI Library 2021.19 for Linux* OS', 'Intel MPI 2021.19'],
    ['MVAPICH2 Version      :\t2.3.7', 'MVAPICH2 2.3.7'],
  ])('is called by name and number: %j', (text, expected) => {
    expect(shortVersion(text)).toBe(expected);
  });
});
