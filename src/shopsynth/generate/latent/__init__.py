"""What autoencoders share, whatever they encode: a latent space, who lies where, a GAN in it."""
