export default function ConfigPage() { return null; }
