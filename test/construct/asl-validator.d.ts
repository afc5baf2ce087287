// The package ships its types where its own exports map hides them.
declare module 'asl-validator' {
  export default function validate(definition: object): { readonly isValid: boolean; errorsText(separator: string): string };
}
