"""The talk: Markdown with placeholders in, the same slides as HTML, PDF and PPTX out."""
