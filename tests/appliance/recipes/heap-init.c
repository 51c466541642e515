/* Put at the end of the kernel's system_heap.c, in place of its own start: first what it stands on, then itself. */
int dma_heap_init(void);

static int __init appliance_heap_init(void)
{
	return dma_heap_init() ?: system_heap_create();
}
module_init(appliance_heap_init);
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
