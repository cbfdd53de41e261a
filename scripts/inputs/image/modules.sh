# shellcheck shell=bash
# shellcheck disable=SC2034 # used by the scripts that source this
# Which modules of Debian's kernels an image has.

# What a Pi 3 or 4 (or QEMU's virt) may need before it sees its root partition.
INITRAMFS_MODULES_ARM64=(
  bcm2835-dma bcm2835_wdt clk-raspberrypi gpio-raspberrypi-exp gpio-regulator fixed i2c-bcm2835
  mmc_block sdhci-iproc bcm2835
  reset-raspberrypi pcie-brcmstb xhci-pci xhci-plat-hcd dwc2 usb-storage uas sd_mod nvme
  virtio_pci virtio_mmio virtio_blk virtio_scsi
  ext4 crc32c_generic
)

# Modules that no cluster node has a use for, to keep the image small.
UNUSED_MODULES_ARM64=(
  sound drivers/{accel,accessibility,ata,atm,bus/mhi,comedi,firewire,gpu,greybus,hwtracing,iio,infiniband,isdn,leds}
  drivers/{media,memstick,mfd,mtd,mux,ntb,pcmcia,phy/{qualcomm,rockchip,marvell,mediatek,tegra,amlogic,hisilicon}}
  drivers/{pinctrl/qcom,platform,rpmsg,siox,soundwire,staging,target,thunderbolt,ufs,vdpa,vfio,vhost,xen}
  drivers/{clk/{qcom,imx,meson,sunxi-ng,rockchip,mediatek,renesas},interconnect,crypto,bluetooth,edac,iommu}
  drivers/net/{can,dsa,fddi,hamradio,ieee802154,ipa,wan,wwan,arcnet,plip,appletalk,thunderbolt,fjes}
  drivers/net/wireless/{ath,intel,marvell,mediatek,ralink,realtek,rsi,silabs,st,ti,zydas,atmel,microchip,purelifi,quantenna,admtek,intersil,legacy}
  drivers/net/ethernet/{3com,8390,adaptec,agere,alacritech,alteon,altera,amd,apm,aquantia,arc,atheros,brocade,cavium,chelsio}
  drivers/net/ethernet/{cisco,davicom,dec,dlink,emulex,engleder,ezchip,freescale,fungible,google,hisilicon,huawei,i825xx,ibm,intel}
  drivers/net/ethernet/{marvell,mediatek,mellanox,meta,micrel,microchip,microsoft,mscc,myricom,natsemi,neterion,netronome,nvidia,oki-semi}
  drivers/net/ethernet/{packetengines,pasemi,pensando,qlogic,qualcomm,rdc,renesas,rocker,samsung,sfc,silan,sis,smsc,socionext,stmicro}
  drivers/net/ethernet/{sun,sunplus,synopsys,tehuti,ti,toshiba,tundra,vertexcom,via,wangxun,wiznet,xilinx}
  drivers/scsi/{aacraid,aic7xxx,aic94xx,arcmsr,be2iscsi,bfa,bnx2fc,bnx2i,csiostor,cxgbi,elx,esas2r,fcoe,hisi_sas,isci,libfc,libsas,lpfc,megaraid,mpi3mr,mpt3sas,mvsas,pm8001,qedf,qedi,qla2xxx,qla4xxx,smartpqi,snic,ufs}
  drivers/input/{joystick,tablet,touchscreen} fs/{bcachefs,ocfs2,gfs2,ceph,dlm,jfs,reiserfs,afs,coda,nilfs2,ubifs,jffs2,hfs,hfsplus,ntfs3,ufs,orangefs,smb/server,xfs,btrfs,f2fs}
  net/{appletalk,atm,ax25,batman-adv,bluetooth,can,ceph,dccp,ieee802154,lapb,mac802154,netrom,nfc,openvswitch,rds,rose,rxrpc,sctp,smc,tipc,vmw_vsock,x25,mctp,qrtr}
)

# What QEMU's q35 needs before it sees a disk on virtio.
INITRAMFS_MODULES_AMD64=(virtio_pci virtio_blk virtio_scsi sd_mod ext4 crc32c_generic)

# All a virtual machine has a use for, of the cloud kernel's modules.
USED_MODULES_AMD64=(
  virtio_{pci,mmio,blk,scsi,net,console,rng,balloon} sd_mod
  ext4 crc32c_{generic,intel} vfat nls_{cp437,ascii,iso8859-1,utf8} loop autofs4 binfmt_misc configfs fuse
  zram zstd lzo-rle lz4 # and the names its algorithms have in the kernel's registry
  sch_fq_codel tcp_cubic inet_diag tcp_diag unix_diag
  button evdev # the power button, by which QEMU asks for a shutdown
)
