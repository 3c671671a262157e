/** Why the box refused an order, until it is dismissed. */
export function Refusal({ text, dismiss }: { text: string; dismiss: () => void }) {
  return (
    <div class="refusal" role="alert">
      {text !== "" && (
        <p>
          {text}
          <button type="button" class="dismiss" aria-label="Dismiss" onClick={dismiss}>
            ×
          </button>
        </p>
      )}
    </div>
  );
}
