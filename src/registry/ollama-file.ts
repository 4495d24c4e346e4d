/** What a Modelfile of Ollama is written from. */
export interface OllamaFacts {
  /** `<name>@<version>`. */
  readonly reference: string;
  /** File name of the weights beside it. */
  readonly weights: string;
  /** The one prompt template, with `{instruction}` once. */
  readonly template: string;
  readonly endToken: string | null;
  readonly contextLength: number | null;
}

/** A Modelfile that serves a version with exactly the template that it was trained with. Format: docs.ollama.com/modelfile. */
export function ollamaFile({ reference, weights, template, endToken, contextLength }: OllamaFacts): string {
  const lines = [
    `# ${reference}`,
    `FROM ./${weights}`,
    `TEMPLATE """${template.replace('{instruction}', '{{ .Prompt }}')}"""`,
    ...(endToken === null ? [] : [`PARAMETER stop ${JSON.stringify(endToken)}`]),
    ...(contextLength === null ? [] : [`PARAMETER num_ctx ${contextLength}`]),
  ];
  return `${lines.join('\n')}\n`;
}
