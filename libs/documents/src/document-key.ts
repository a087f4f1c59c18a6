/** Names a document within all collections by the name that another system gave it. */
export function documentKeyOf(collectionId: string, externalId: string): string {
  return `${collectionId} ${externalId}`;
}
