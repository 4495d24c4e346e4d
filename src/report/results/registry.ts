import type { AliasMoved, CommandResult } from '../../contracts/command-results.ts';
import type { CompressionSummary } from '../../contracts/jobs.ts';
import { bytes } from '../quantities.ts';
import type { Style } from '../style.ts';

/** What became of an alias, and how to take it back. */
export function aliasMovedText({ model, alias, from, to, moved, forced }: AliasMoved, style: Style): string {
  if (!moved) return `${alias} of ${model} names ${to} already; nothing was moved.`;
  const line = `${style('bold', alias)} of ${model}: ${from ?? 'nothing'} → ${style('green', to)}${forced ? `, ${style('red', 'FORCED past the gate')}` : ''}`;
  return from === null ? line : `${line}\n→ back again: twin models rollback ${alias}${model === 'twin' ? '' : ` --name ${model}`}`;
}

/** That a model was taken in, and what it can do now. */
export function registeredText(version: string): string {
  return `${version} is registered.\n→ twin models promote ${version} --to champion --force --reason "…" serves it before any evaluation`;
}

/** That a version is gone, and what frees its files. */
export function deletedText(version: string): string {
  return `${version} is deleted from the registry; its files stay until they are collected as garbage.`;
}

/** Where an export lies, and what rounding cost and saved. */
export function exportedText({ version, path, format, loss }: CommandResult & { readonly type: 'model-exported' }): string {
  const line = `${version} → ${path} (${format}${loss === null ? '' : ` ${loss.quantization}`})`;
  const serve = format === 'ollama' ? [`→ ollama create ${version.replace('@', ':')} -f ${path}/Modelfile`] : [];
  return [line, ...(loss === null ? [] : compressionLines(loss)), ...serve].join('\n');
}

/** Size, speed and loss of a compressed form. */
function compressionLines(form: CompressionSummary): readonly string[] {
  const { bytes: after, sourceBytes: before, meanKl, prompts, sameFirstChoice, tokensPerSecond: speed } = form;
  const share = `${(sameFirstChoice * 100).toFixed(1)} %`;
  return [
    `  size   ${bytes(after)} of ${bytes(before)} (${((after / before) * 100).toFixed(0)} %)`,
    `  loss   its next token differs by ${meanKl.toPrecision(2)} nats on average (KL over ${prompts} fixed prompts); the likeliest is the same for ${share}`,
    speed === null
      ? '  speed  not measured: llama.cpp is not at hand'
      : `  speed  ${Math.round(speed.compressed)} tokens read a second here, ${Math.round(speed.model)} uncompressed`,
  ];
}
